"""Two networks compared: the numbers, the pairs, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.report import compare
from segdistill.report.bootstrap import draw_means, limits
from segdistill.report.comparison import split
from segdistill.report.comparison.measures import better
from segdistill.report.comparison.ranks import signed_rank
from segdistill.report.gain import gain
from segdistill.report.runs import collect

A = {"u": 0.5, "v": 0.6, "w": 0.7, "x": 0.9}
B = {"u": 0.6, "v": 0.6, "w": 0.4, "x": 0.95}


def random(seed, *, count=30, shift=0.0):
    values = np.random.default_rng(seed).uniform(0.3, 0.9, count) + shift
    return {f"image_{i:02d}": float(v) for i, v in enumerate(values)}


def test_one_run_each(scored):
    found = compare(scored("a", {"test": A}), scored("b", {"test": B}), draws=500)
    (one,) = found.differences
    assert (one.dataset, one.protocol, one.version, one.measure) == ("test", "dice@0.5", 1, "dice")
    assert (one.a, one.b) == pytest.approx((0.675, 0.6375))
    assert one.difference == pytest.approx(-0.0375)
    assert (one.count, one.wins_a, one.wins_b, one.ties) == (4, 1, 2, 1)
    assert one.interval == one.interval_images
    assert one.interval.low < 0 < one.interval.high
    assert one.ahead is None
    assert one.p == signed_rank(np.array([0.1, 0, -0.3, 0.05]))
    assert one.p_seeds is None
    assert [case.id for case in one.losses] == ["w"]
    assert [case.id for case in one.lowest] == ["w", "u", "v", "x"]
    assert "One training each: the variation between trainings is not in" in found.notes[0]
    assert found.sentences[0].startswith("test, dice: B - A is -0.0375 over 4 images and one training each;")
    assert found.sentences[0].endswith("includes zero.")


def test_a_plain_gain_excludes_zero_and_turns_with_the_sides(scored):
    a, b = scored("a", {"test": random(0)}), scored("b", {"test": random(0, shift=0.01)})
    forth, back = (compare(*pair, draws=200).differences[0] for pair in ((a, b), (b, a)))
    assert (forth.ahead, back.ahead) == ("B", "A")
    assert forth.difference == pytest.approx(-back.difference)
    assert forth.interval == pytest.approx([-back.interval.high, -back.interval.low])
    assert (forth.wins_b, back.wins_a, forth.p) == (30, 30, back.p)
    assert "excludes zero" in compare(a, b).sentences[0]


def test_what_rounding_leaves_of_equal_scores_excludes_nothing(scored):
    a = random(0)
    b = {image: math.nextafter(value, 1) for image, value in a.items()}
    (one,) = compare(scored("a", {"test": a}), scored("b", {"test": b}), draws=200).differences
    assert one.interval == (0, 0)
    assert (one.ahead, one.p, one.ties) == (None, 1.0, 30)


def test_an_interval_over_few_images_is_said_to_be_too_narrow(scored):
    sets = {"few": random(0, count=5), "many": random(1)}
    found = compare(scored("a", sets), scored("b", sets), draws=200)
    (note,) = [note for note in found.notes if note.startswith("Few images")]
    assert note.startswith("Few images: few (5). An interval drawn from so few is too narrow")


def test_the_order_of_the_rows_does_not_matter(scored):
    a, b = random(0), random(1)
    shuffled = dict(sorted(b.items(), key=lambda item: item[1]))
    first = compare(scored("a", {"test": a}), scored("b", {"test": b}), draws=300)
    again = compare(
        scored("a2", {"test": dict(reversed(a.items()))}), scored("b2", {"test": shuffled}), draws=300
    )
    assert first.differences == again.differences


def test_runs_of_one_seed_are_pairs_in_whatever_order_they_are_named(scored):
    a = [scored(f"a-{seed}", {"test": random(seed)}, seed=seed) for seed in (0, 1, 2)]
    b = [scored(f"b-{seed}", {"test": random(seed, shift=0.1)}, seed=seed) for seed in (0, 1, 2)]
    found = compare([a[2], a[0], a[1]], b, draws=300)
    (one,) = found.differences
    assert found.sides.seeds == [0, 1, 2]
    assert found.sides.paired_by == "seed"
    assert one.by_seed == pytest.approx([0.1] * 3)
    assert one.interval == pytest.approx([0.1, 0.1])
    assert one.p_seeds == 0.25
    assert (found.sides.a.label, found.sides.b.label) == ("a", "b")
    assert "p over seeds cannot be below 0.25" in found.notes[0]
    assert found.differences == compare(a, b[::-1], draws=300).differences


def test_seeds_widen_the_interval(scored):
    shifts = {0: -0.1, 1: 0.0, 2: 0.2}
    a = [scored(f"a{s}", {"test": random(0)}, seed=s) for s in shifts]
    b = [scored(f"b{s}", {"test": random(0, shift=shift)}, seed=s) for s, shift in shifts.items()]
    (one,) = compare(a, b).differences
    assert one.interval_images == pytest.approx([0.1 / 3, 0.1 / 3])
    assert one.interval == pytest.approx([0.1 / 3 - 4.303 * 0.0882, 0.1 / 3 + 4.303 * 0.0882], abs=1e-3)


@pytest.mark.parametrize("count", [1, 3])
def test_report_and_compare_give_the_same_interval_for_the_same_runs(scored, count):
    a = [scored(f"a{s}", {"test": random(s)}, seed=s) for s in range(count)]
    b = [scored(f"b{s}", {"test": random(s + 5)}, seed=s) for s in range(count)]
    theirs = gain(collect({"a": a[::-1]}), collect({"b": b}), "test")
    ours = compare(a, b).differences[0]
    assert ours.interval == (theirs.low, theirs.high)
    assert (ours.wins_b, ours.wins_a, count) == (theirs.better, theirs.worse, theirs.seeds)
    assert (ours.a, ours.b) == pytest.approx((theirs.before, theirs.after))


def test_a_score_that_is_missing_leaves_its_image_out_and_is_told(scored):
    a = scored("a", {"test": random(0)})
    b = scored("b", {"test": {**random(0, shift=0.1), "image_03": math.nan}})
    found = compare(a, b, draws=200)
    (one,) = found.differences
    assert (one.count, one.missing, one.missing_a, one.missing_b) == (29, 1, 0, 1)
    assert one.difference == pytest.approx(0.1)
    told = "test, dice: without 1 of the images, where A (0) or B (1) has no score; who misses more is flattered."
    assert told in found.notes


def test_a_measure_that_is_not_compared_is_told_and_refused_if_it_was_named(tmp_path):
    rows = [{"id": f"c{i}", "dice": i / 9, "hd95": 1.0 if i < 1 else None, "nsd": 0.5} for i in range(3)]
    a = written(tmp_path / "a.json", rows=rows)
    b = written(tmp_path / "b.json", rows=[{k: v for k, v in row.items() if k != "nsd"} for row in rows])
    found = compare(a, b, draws=200)
    assert [each.measure for each in found.differences] == ["dice"]
    few = "test, hd95, since A and B both have a score for 1 of the 3 cases, and a comparison needs two"
    assert {f"Not compared: {few}.", "Not compared: test, nsd, since not every run has it."} <= {*found.notes}
    refused(f"Nothing to compare: {few}; name other", a, b, measures=["dice", "hd95"])
    refused("Nothing to compare: test, nsd, since not every run has it", a, b, measures=["nsd"])


def test_absolute_values_of_a_signed_error_are_not_compared_twice(tmp_path):
    rows = [{"id": f"c{i}", "volume_error_ml": -i, "absolute_volume_error_ml": i} for i in range(3)]
    paths = [written(tmp_path / f"{name}.json", rows=rows) for name in "ab"]
    assert [each.measure for each in compare(*paths, draws=200).differences] == ["volume_error_ml"]


def test_measures_with_and_without_gaps_keep_their_own_draws(scored, tmp_path):
    rows = [{"id": f"i{i}", "dice": i / 9, "hd95": None if i == 4 else 3.0 - i / 9} for i in range(9)]
    paths = [written(tmp_path / f"{name}.json", rows=scaled(rows, by)) for name, by in (("a", 1), ("b", 0.9))]
    dice, hd95 = compare(*paths, draws=300).differences
    values = np.array([-0.1 * row["dice"] for row in rows])
    low, high = limits(draw_means(values[:, None], draws=300))
    assert dice.interval == pytest.approx([low[0], high[0]])
    assert (dice.ahead, hd95.ahead) == ("A", "B")
    assert (dice.count, hd95.count) == (9, 8)


def scaled(rows, by):
    return [{k: v * by if isinstance(v, float) else v for k, v in row.items()} for row in rows]


def written(path, *, rows, protocol="case-3d", version=2, means=None, name="test"):
    sets = {name: means or {"cases": len(rows)}}
    path.write_text(
        json.dumps({"protocol": protocol, "version": version, "sets": sets, "per_image": {name: rows}})
    )
    return path


def test_the_json_of_score_is_read_with_nested_scores_and_directions(tmp_path):
    rows = [
        {
            "id": f"case{i}",
            "kidney": {"dice": 0.9 - i / 50, "hd95": 4.0 + i, "rvd": -0.2, "voxels": 9},
            "side": "l",
        }
        for i in range(5)
    ]
    theirs = [
        {**row, "kidney": {"dice": 0.8, "hd95": 2.0, "rvd": 0.1, "voxels": 9}, "side": "r"} for row in rows
    ]
    found = compare(written(tmp_path / "a.json", rows=rows), written(tmp_path / "b.json", rows=theirs))
    by_name = {each.measure: each for each in found.differences}
    assert list(by_name) == ["kidney.dice", "kidney.hd95", "kidney.rvd"]
    assert [each.ahead for each in by_name.values()] == ["A", "B", "B"]
    assert by_name["kidney.hd95"].lowest[0].id == "case0"
    assert by_name["kidney.rvd"].difference == pytest.approx(-0.1)
    assert {each.unit for each in found.differences} == {"cases"}
    assert any(note == "Lower is better: kidney.hd95." for note in found.notes)
    assert any(note.startswith("Nearer zero is better") for note in found.notes)


def test_a_score_of_the_set_that_is_no_mean_is_told(tmp_path):
    rows = [{"id": "x", "miou": 0.5}, {"id": "y", "miou": 0.7}]
    paths = [
        written(tmp_path / f"{name}.json", rows=rows, protocol="miou", means={"images": 2, "miou": 0.55})
        for name in "ab"
    ]
    assert any(
        note.startswith("miou: the protocol's score of a set is no mean") for note in compare(*paths).notes
    )


def test_the_json_of_evaluate_is_read_with_the_tables_beside_it(tmp_path):
    means = {"dice": 0.5, "images": 2, "protocol": "dice@0.5", "version": 1}
    for run, shift in (("base", 0.0), ("kd/x", 0.1)):
        name = f"scores-{run}-test.csv".replace("/", "_")
        (tmp_path / name).write_text(
            f"id,dice,share,protocol,version\np,{0.4 + shift},0.1,dice@0.5,1\nq,{0.6 + shift},0.2,dice@0.5,1\n"
        )
    file = tmp_path / "scores.json"
    file.write_text(json.dumps({run: {"test": means} for run in ("base", "kd/x")}))
    found = compare(f"{file}:base", f"{file}:kd/x", draws=200)
    assert [(each.measure, round(each.difference, 9)) for each in found.differences] == [("dice", 0.1)]
    assert (found.sides.a.label, found.sides.b.label) == ("base", "kd/x")
    with pytest.raises(
        SegDistillError, match="holds several runs: base, kd/x. Name one as .*scores.json:base"
    ):
        compare(file, f"{file}:base")
    with pytest.raises(SegDistillError, match="Unknown run in .*'bse'. Did you mean 'base'"):
        compare(f"{file}:bse", f"{file}:kd/x")
    (tmp_path / "scores-base-test.csv").unlink()
    with pytest.raises(
        SegDistillError, match="There is no .*scores-base-test.csv: evaluate writes it beside"
    ):
        compare(f"{file}:base", f"{file}:kd/x")


def test_runs_without_a_seed_are_paired_in_their_order(scored):
    a, b = ([scored(f"{s}{i}", {"test": random(i)}, seed=None) for i in range(2)] for s in "ab")
    found = compare(a, b, draws=200)
    assert found.differences[0].by_seed == (0, 0)
    assert any("paired in the order given" in note for note in found.notes)
    with pytest.raises(SegDistillError, match="A has 2 runs and B 1, and not all say their seed"):
        compare(a, b[:1])


def test_two_trainings_of_other_seeds_are_told_apart(scored):
    found = compare(scored("a", {"test": A}, seed=0), scored("b", {"test": B}, seed=3), draws=200)
    assert any("different seeds, 0 and 3" in note for note in found.notes)


def test_sets_that_only_one_has_are_named(scored):
    found = compare(scored("a", {"test": A, "more": A}), scored("b", {"test": B}), draws=200)
    assert [each.dataset for each in found.differences] == ["test"]
    assert "Not compared, since not every run has it: more." in found.notes


def test_p_that_disagrees_with_the_interval_is_told(scored):
    gains = {f"i{i}": 0.5 + 0.01 * (i < 17) - 0.4 * (i == 19) for i in range(20)}
    found = compare(scored("a", {"test": dict.fromkeys(gains, 0.5)}), scored("b", {"test": gains}))
    assert found.differences[0].p < 0.05
    assert found.differences[0].ahead is None
    assert any(
        note.startswith("p and the interval over images disagree for test dice") for note in found.notes
    )


def test_everything_goes_into_plain_json(scored):
    b = scored("b", {"test": {**B, "u": math.nan}})
    plain = json.loads(json.dumps(compare(scored("a", {"test": A}), b, draws=200).as_dict(), allow_nan=False))
    assert plain["differences"][0]["difference"] == pytest.approx(-0.25 / 3)
    assert plain["differences"][0]["excludes_zero"] is False
    assert plain["per_image"]["test"][0] == {"id": "u", "dice": {"a": [0.5], "b": [None]}}
    assert plain["a"]["runs"][0]["seed"] == 0
    assert "Pratt" in plain["test"]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        *(
            ("dice", "higher"),
            ("meanDic", "higher"),
            ("maxSpe", "higher"),
            ("nsd", "higher"),
            ("fp_dice", "higher"),
            ("hd_dice", "higher"),
            ("error.iou", "higher"),
        ),
        *(
            ("mae", "lower"),
            ("ece_top_label", "lower"),
            ("tumour_voe", "lower"),
            ("liver_assd", "lower"),
            ("tumour.hd95_edge", "lower"),
            ("lesions_made_up", "lower"),
            ("absolute_volume_error_ml", "lower"),
        ),
        *(
            ("rvd", "nearer zero"),
            ("kidney_volume_error_ml", "nearer zero"),
            ("tumour_burden_error", "nearer zero"),
        ),
    ],
)
def test_which_way_a_measure_is_better(name, way):
    assert better(name) == way


def test_runs_whose_settings_differ_in_the_seed_alone_belong_together(scored):
    a = [scored(f"a{s}", {"test": A}, seed=s, net="base") for s in (0, 1)]
    b = [scored(f"b{s}", {"test": A}, seed=s, net="kd") for s in (0, 1)]
    assert split([a[0], b[0], a[1], b[1]]) == (a, b)
    assert split(a) == ([a[0]], [a[1]])
    with pytest.raises(
        SegDistillError, match="3 runs are of 1 configurations and not of two .* --a RUN --a RUN"
    ):
        split([*a, scored("a2", {"test": A}, seed=2, net="base")])
    with pytest.raises(SegDistillError, match="plain does not say which network it is of"):
        split([*a, scored("plain", {"test": A}, seed=None)])


def refused(words, a, b, **options):
    with pytest.raises(SegDistillError, match=words):
        compare(a, b, **options)


def test_what_does_not_compare_is_refused(scored):
    a, b = scored("a", {"test": A}), scored("b", {"test": B})
    refused("test was scored by dice@0.5 version 1 in .*a, but by iou@0.5 version 1 in .*p", a,
            scored("p", {"test": B}, protocol="iou@0.5"))  # fmt: skip
    refused("but by dice@0.5 version 2 in", a, scored("v", {"test": B}, version=2))
    refused(r"have no test set in common \(.*a: test; .*o: other\)", a, scored("o", {"other": B}))
    refused(r"test has 2 of the images of .*a not in .*few \(u, v\)", a,
            scored("few", {"test": {"w": 0.1, "x": 0.2}}))  # fmt: skip
    refused(
        r"test has 1 of the images of .*more not in .*a \(y\)", a, scored("more", {"test": {**B, "y": 0.1}})
    )
    refused("Unknown measure 'dic'. Did you mean 'dice'", a, b, measures=["dic"])
    refused("draws must be 100 or more, got 5", a, b, draws=5)
    refused("two images or more", scored("1", {"test": {"u": 0.1}}), scored("2", {"test": {"u": 0.1}}))


def test_runs_that_are_no_pairs_are_refused(scored):
    a = [scored(f"a{s}", {"test": A}, seed=s) for s in (0, 1)]
    b = [scored(f"b{s}", {"test": B}, seed=s) for s in (0, 2)]
    refused("a1, .*b2 has no partner of its seed", a, b)
    refused("a0 and .*z are on one side and both of seed 0", [a[0], scored("z", {"test": A})], b)
    refused("a0 is named twice", a, [a[0], b[0]])
    refused("Side B has no run", a, [])


def test_runs_without_scores_are_refused(scored, tmp_path):
    a, bare = scored("a", {"test": A}), scored("bare", {})
    refused("bare has no scores/SET.csv: its training is not finished", a, bare)
    refused("There is no run folder or JSON file .*gone", a, tmp_path / "gone")
    (tmp_path / "run.log").write_text("")
    refused("run.log is neither a run folder nor the JSON", a, tmp_path / "run.log")
    silent = scored("silent", {"test": B})
    (silent / "metrics.json").write_text("{}")
    refused("Nothing says by which protocol .*test.csv was scored", a, silent)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "Cannot read"),
        ("[]", "holds no scores, but a list"),
        ('{"x": 1}', "holds no scores per image"),
        ('{"per_image": {"t": [{"dice": 1}]}, "protocol": "p"}', "a row has no id"),
        ('{"per_image": 5, "protocol": "p"}', "is damaged: 'per_image' is no object but 5"),
        ('{"per_image": {"t": 5}, "protocol": "p"}', "is damaged: 't' is no list but 5"),
        ('{"per_image": {"t": []}, "sets": 3, "protocol": "p"}', "is damaged: 'sets' is no object but 3"),
        ('{"per_image": {"t": []}, "sets": {"t": 1}, "protocol": "p"}', "is damaged: 't' is no object but 1"),
        ('{"per_image": {"t": []}, "protocol": "p", "version": "two"}', "version of its protocol is 'two'"),
        (
            '{"per_image": {"t": [{"id": "x", "dice": 1}, {"id": "x"}]}, "protocol": "p"}',
            "'x' is listed twice",
        ),
    ],
)
def test_a_json_that_holds_something_else_is_refused(scored, tmp_path, content, words):
    (tmp_path / "scores.json").write_text(content)
    refused(words, scored("a", {"test": A}), tmp_path / "scores.json")


def test_a_run_that_is_no_object_is_refused(scored, tmp_path):
    (tmp_path / "scores.json").write_text('{"odd": 5, "x": {"t": {}}}')
    refused("is damaged: 'odd' is no object but 5", scored("a", {"test": A}), f"{tmp_path}/scores.json:odd")
