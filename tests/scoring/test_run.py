import os
import shutil
import tracemalloc

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.metrics import DICE_AT_HALF
from segdistill.scoring import score
from segdistill.scoring.processes import in_processes, processes_for


def test_each_set_has_its_means_and_its_images(discs, dice):
    [scores] = score(*discs, dice)
    assert list(scores.sets) == ["far", "near"]
    near = scores.per_image["near"]
    assert [row["id"] for row in near] == [f"frame_{n:02d}" for n in range(0, 20, 2)]
    assert scores.sets["near"]["dice"] == pytest.approx(np.mean([row["dice"] for row in near]))
    assert 0 < scores.sets["near"]["dice"] < 1
    assert (scores.protocol, scores.version) == ("dice@0.5", 1)
    pred, gt = discs
    assert scores.files["near"] == {"pred": str(pred / "near"), "gt": str(gt / "near" / "masks")}


def test_several_processes_give_what_one_gives_to_the_last_bit(discs, dice):
    seen = []
    one = score(*discs, dice, workers=1, progress=lambda *done: seen.append(done))
    assert score(*discs, dice, workers=2) == one
    assert seen == [(8, 20), (10, 20), (18, 20), (20, 20)]


def test_a_mistake_in_another_process_is_the_same_sentence(discs, dice, write):
    write("pred/near/frame_08.png", np.zeros((9, 9), np.uint8))
    with pytest.raises(SegDistillError, match="frame_08.png' is 9x9, its mask 24x30"):
        score(*discs, dice, workers=2)


def test_scores_do_not_depend_on_the_names(discs, dice, tmp_path):
    [before] = score(*discs, dice)
    for folder in (tmp_path / "pred/near", tmp_path / "gt/near/masks"):
        for file in sorted(folder.iterdir()):
            file.rename(folder / f"{99 - int(file.stem[-2:])}.png")
    [after] = score(*discs, dice)
    assert after.sets == before.sets


def test_broken_files_are_counted_and_named(discs, dice, tmp_path):
    for path in ("pred/near/frame_02.png", "gt/far/masks/frame_05.png"):
        (tmp_path / path).write_bytes(b"no picture")
    with pytest.raises(SegDistillError) as caught:
        score(*discs, dice)
    assert "2 of 20 pairs cannot be read ('far/frame_05', 'near/frame_02')." in str(caught.value)
    assert "--skip-bad" in str(caught.value)
    [scores] = score(*discs, dice, skip_bad=True)
    assert scores.sets["near"]["images"] == scores.sets["far"]["images"] == 9
    assert "near: Pairs that could not be read, left out (1): frame_02." in scores.notes


def test_only_what_cannot_be_read_may_be_skipped(discs, dice, write):
    write("pred/near/frame_08.png", np.zeros((9, 9), np.uint8))
    with pytest.raises(SegDistillError, match="its mask 24x30"):
        score(*discs, dice, skip_bad=True)


@pytest.mark.parametrize("skip", [False, True])
def test_a_folder_of_garbage_is_a_sentence(discs, dice, tmp_path, skip):
    for file in (tmp_path / "pred").rglob("*.png"):
        file.write_bytes(b"")
    words = "None of 10 pairs of the set 'far' can" if skip else "20 of 20 pairs cannot"
    with pytest.raises(SegDistillError, match=rf"{words} be read.* Cannot read '.*frame_01.png'"):
        score(*discs, dice, skip_bad=skip)


def test_no_protocol_is_a_sentence(discs):
    with pytest.raises(SegDistillError, match="no protocol to score by"):
        score(*discs, [])


def test_memory_does_not_grow_with_the_number_of_images(tmp_path, write):
    def peak(count):
        for number in range(count):
            for side in ("pred", "gt"):
                write(f"{count}/{side}/{number}.png", np.full((128, 128), 255, np.uint8))
        score(tmp_path / str(count) / "pred", tmp_path / str(count) / "gt", [DICE_AT_HALF])
        tracemalloc.start()
        score(tmp_path / str(count) / "pred", tmp_path / str(count) / "gt", [DICE_AT_HALF])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        shutil.rmtree(tmp_path / str(count))
        return most

    # An image takes 16 KiB, its paths and its row far less.
    assert peak(96) - peak(16) < 80 * 8192


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not tell its usable cores")
def test_little_work_stays_in_one_process():
    assert processes_for(3, 4) == 1
    assert processes_for(10**6, 4) == len(os.sched_getaffinity(0))


def test_results_come_in_the_order_of_the_work():
    assert list(in_processes(abs, [-3, 2, -1], 2)) == [3, 2, 1]
