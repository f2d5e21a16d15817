"""A memory by class: what it forgets, what is drawn of it, and how much room it has."""

import pytest
import torch

from segdistill.methods.parts import bank
from segdistill.methods.parts.bank import Bank


def a_bank(slots=4, classes=2):
    return Bank(classes, slots, 1, device=torch.device("cpu"))


def add(ring, numbers, kinds):
    ring.add(torch.tensor(numbers, dtype=torch.float32)[:, None], torch.tensor(kinds))


def remembered(ring, kind):
    return sorted(ring.vectors[kind, : ring.filled[kind], 0].tolist())


def test_a_ring_forgets_the_oldest():
    ring = a_bank()
    for start in range(0, 12, 3):
        add(ring, [start, start + 1, start + 2], [0, 0, 0])
        latest = list(range(max(0, start - 1), start + 3))
        assert remembered(ring, 0) == latest
        assert remembered(ring, 1) == []


def test_classes_fill_independently_and_in_order():
    ring = a_bank()
    add(ring, [1, 10, 2, 20, 3], [0, 1, 0, 1, 0])
    assert ring.vectors[0, :3, 0].tolist() == [1, 2, 3]
    assert ring.vectors[1, :2, 0].tolist() == [10, 20]
    assert ring.filled.tolist() == [3, 2]


def test_more_than_a_ring_holds_leaves_the_latest():
    ring = a_bank()
    add(ring, [7], [0])
    add(ring, list(range(100, 111)), [0] * 11)
    assert remembered(ring, 0) == [107, 108, 109, 110]
    add(ring, [200], [0])
    assert remembered(ring, 0) == [108, 109, 110, 200]


def test_a_draw_is_even_over_classes_and_never_of_an_empty_slot():
    ring = a_bank(slots=50, classes=3)
    add(ring, [*range(1, 21), 1000], [0] * 20 + [2])
    drawn = ring.draw(8)[:, 0].tolist()
    assert drawn.count(1000) == 1
    assert len(drawn) == 9
    assert len(set(drawn)) == 9
    assert all(value in range(1, 21) for value in drawn if value != 1000)
    assert a_bank().draw(8).shape == (0, 1)


def test_free_memory_is_unknown_where_the_system_does_not_say(monkeypatch):
    def missing(self):
        raise OSError

    monkeypatch.setattr(bank.Path, "read_text", missing)
    assert bank.free_memory(torch.device("cpu")) is None
    bank.check_room("It", 10**18, torch.device("cpu"), contents="all", options="nothing")  # is believed


@pytest.mark.parametrize(
    ("version", "limit", "usage", "files"),
    [
        ("cgroup/memory.", "max", "current", "inactive_file"),
        ("cgroup/memory/memory.", "limit_in_bytes", "usage_in_bytes", "total_inactive_file"),
    ],
)
def test_a_container_may_have_less_left_than_its_machine(version, limit, usage, files, monkeypatch):
    says = {
        "/proc/meminfo": "MemAvailable: 99 kB",
        f"/sys/fs/{version}{limit}": "20000\n",
        f"/sys/fs/{version}{usage}": "9000\n",
        f"/sys/fs/{version}stat": f"anon 8500\n{files} 500\n",
    }

    def read(path):
        if str(path) not in says:
            raise OSError
        return says[str(path)]

    monkeypatch.setattr(bank.Path, "read_text", read)
    assert bank.free_memory(torch.device("cpu")) == 11500
    says[f"/sys/fs/{version}{limit}"] = "max"
    assert "limit_in_bytes" in limit or bank.free_memory(torch.device("cpu")) == 99 * 1024
