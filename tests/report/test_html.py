from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.report import Example, choose, collect, html, predict_examples
from segdistill.report.examples import draw

VOID = {"meta", "img", "br", "link", "input", "line"}


class Checked(HTMLParser):
    """Keeps text and elements, and notices tags that do not match."""

    def __init__(self, page):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def example(**changes):
    truth = np.zeros((60, 90), np.uint8)
    truth[10:30, 10:50] = 1
    values = {
        "id": "kvasir_001",
        "image": np.full((60, 90, 3), 120, np.uint8),
        "truth": truth,
        "predictions": {"Baseline": np.roll(truth, 10, 1), "Distilled": truth},
        "rank": "worst",
        "dataset": "Kvasir",
    }
    return Example(**{**values, **changes})


@pytest.fixture
def page(runs):
    return html.render(collect(runs), examples=[example()], title="Polyps")


def test_the_page_is_well_formed_and_asks_for_nothing_outside(page):
    found = Checked(page)
    assert found.open == []
    for _, attributes in found.elements:
        for name in ("src", "href", "srcset", "action", "data"):
            assert str(attributes.get(name, "data:")).startswith(("data:", "#"))
    assert "@import" not in page
    assert "<script" not in page
    assert not re.search(r"url\((?!#)", page)


def test_the_page_says_what_an_image_or_a_table_shows(page):
    found = Checked(page)
    assert all(image["alt"] for image in found.all("img"))
    assert len(found.all("caption")) == len(found.all("table")) >= 3
    assert all("scope" in cell or "aria-hidden" in cell for cell in found.all("th"))
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = [a["aria-labelledby"] for _, a in found.elements if "aria-labelledby" in a]
    assert set(labels) <= set(ids)


def test_the_numbers_of_the_runs_are_on_the_page(runs, page):
    text = Checked(page).text
    for run in collect(runs):
        assert f"{100 * run.score('Kvasir', 'dice'):.1f}" in text
    for words in (
        "4.65 M",
        "1.94",
        "dice@0.5",
        "KD/logits",
        "torch",
        "2.15.0",
        "dice on 145 validation images",
    ):
        assert words in text


def test_the_gain_is_stated_with_its_interval_and_what_it_does_not_know(page):
    text = Checked(page).text
    assert re.search(r"\+\d\.\d points of mean Dice on Kvasir", text)
    assert re.search(r"95\s% interval over 40 images \+\d\.\d to \+\d\.\d: better", text)
    assert "Where one of the two was trained once" in text
    assert "makes the interval too narrow" in text


def test_a_baseline_against_itself_shows_no_difference(runs):
    summaries = collect(
        {"Baseline": runs["Baseline"], "Distilled": runs["Baseline"]}, roles={"Distilled": "distilled"}
    )
    text = Checked(html.render(summaries)).text
    assert "0.0 points of mean Dice on Kvasir" in text
    assert "+0.0" not in text
    assert "no difference shown" in text


def test_seeds_are_one_row_with_their_spread(runs, write_run, tmp_path):
    again = write_run(tmp_path / "again", level=0.87, seed=9)
    other = write_run(tmp_path / "other", level=0.89, seed=10)
    summaries = collect({"Baseline": [runs["Baseline"], again], "Distilled": [runs["Distilled"], other]})
    text = Checked(html.render(summaries)).text
    assert "Baseline 2 seeds" in text
    assert re.search(r"\d\d\.\d ± \d\.\d", text)
    assert "interval over 40 images and 2 seeds" in text
    assert "is for other seeds and other images like these" in text
    assert "Where one of the two was trained once" not in text


def test_without_a_baseline_the_page_says_what_is_missing(runs):
    text = Checked(html.render(collect([runs["Distilled"]]))).text
    assert "needs a baseline and a distilled network" in text


def test_a_run_with_nothing_but_a_log_still_has_a_page(write_log, tmp_path):
    run = write_log(tmp_path / "young", ["epoch", "loss", "val_dice"], [[1, 0.5, 0.4]])
    text = Checked(html.render(collect([run]))).text
    assert "young" in text
    assert "GMAC" not in text


def test_text_from_data_is_escaped(runs):
    evil = "<script>alert('x')</script>"
    (runs["Baseline"] / "env.json").write_text('{"command": "<img src=x onerror=1>", "<b>": "&"}')
    (runs["Baseline"] / "config.yaml").write_text(evil)
    summaries = collect({evil: runs["Baseline"], "Distilled": runs["Distilled"]}, roles={evil: "baseline"})
    case = example(id=evil, dataset=evil, rank=evil, predictions={evil: example().truth})
    page = html.render(summaries, examples=[case], title=evil)
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "<b>&" not in page
    assert Checked(page).text.count("alert('x')") > 5


def test_the_cases_show_image_truth_and_every_prediction():
    pictures = draw(example())
    assert [p.label for p in pictures] == ["Image", "Truth", "Baseline", "Distilled"]
    assert [p.dice for p in pictures] == [None, None, pytest.approx(0.75), 1.0]
    assert pictures[2].alt == "Baseline on kvasir_001, Dice 75.0 %"
    assert all(p.uri.startswith("data:image/jpeg;base64,") for p in pictures)


def test_ignored_pixels_do_not_count_in_a_case():
    truth = example().truth.copy()
    truth[:, 50:] = 255
    assert draw(example(truth=truth))[2].dice == pytest.approx(2 * 600 / (600 + 800))


def test_an_empty_frame_that_stays_empty_is_right():
    empty = np.zeros((60, 90), np.uint8)
    assert draw(example(truth=empty, predictions={"A": empty}))[2].dice == 1


def test_several_classes_are_shown_in_their_colours_without_a_dice():
    mask = example().truth * 3
    assert [p.dice for p in draw(example(truth=mask, predictions={"A": mask}))] == [None] * 3


def test_a_mask_of_another_size_is_named():
    with pytest.raises(SegDistillError, match=r"mask 'A' of example 'kvasir_001' has shape \(30, 45\)"):
        draw(example(predictions={"A": np.zeros((30, 45), np.uint8)}))


def test_the_worst_the_middle_and_the_best_are_chosen_once_each():
    scores = {f"{i}": i / 10 for i in range(10)} | {"empty": float("nan")}
    assert choose(scores) == {
        "0": "worst",
        "1": "worst",
        "4": "median",
        "5": "median",
        "9": "best",
        "8": "best",
    }
    assert choose({"a": 0.5}) == {"a": "worst"}
    assert choose({}) == {}


def test_cases_are_predicted_by_every_network_worst_first(runs):
    class Frames:
        ids = [f"kvasir_{i:03d}" for i in range(40)]

        def __getitem__(self, index):
            mask = np.zeros((20, 24), np.uint8)
            mask[:5] = 1
            return {"image": np.full((3, 20, 24), index, np.uint8), "mask": mask, "id": self.ids[index]}

    class Everything:
        classes = ("background", "polyp")

        def __call__(self, image):
            from segdistill.export import Prediction

            assert image.shape == (20, 24, 3)
            return Prediction(np.ones(image.shape[:2], np.uint8), np.ones(image.shape[:2], np.float32))

    summaries = collect(runs)
    found = predict_examples(
        summaries,
        {"Kvasir": Frames(), "unscored": Frames()},
        predictors={s.label: Everything() for s in summaries},
    )
    assert [case.rank for case in found] == ["worst", "median", "best"]
    assert {case.dataset for case in found} == {"Kvasir"}
    assert list(found[0].predictions) == ["Teacher", "Baseline", "Distilled"]
    dice = summaries[2].scores["Kvasir"]["dice"]
    assert found[0].id == min(dice, key=dice.get)


@pytest.mark.parametrize(
    ("asked", "written"), [("r", "r.html"), ("r.html", "r.html"), ("new/v1.2", "new/v1.2.html")]
)
def test_the_page_is_written_where_it_was_asked_for(runs, tmp_path, asked, written):
    assert html.report(collect(runs), tmp_path / asked) == tmp_path / written
    assert (tmp_path / written).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_no_run_is_an_error_and_writes_nothing(tmp_path):
    with pytest.raises(SegDistillError, match="no run to report"):
        html.report([], tmp_path / "new/r.html")
    assert list(tmp_path.iterdir()) == []
