"""Many files at once: what comes back, and what a bad one does to the others."""

from __future__ import annotations

import csv
import io
import stat
import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image

from segdistill import SegDistillError
from segdistill.app import Limits, Look, Model, batch


@pytest.fixture
def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.fixture
def zipped(tmp_path):
    """Writes a zip of files by name."""

    def write(files, name="a.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return tmp_path / name

    return write


@pytest.fixture
def run(bright, tmp_path):
    def invoke(*paths, model=bright, look=Look()):  # noqa: B008 - frozen
        out = tmp_path / "out.zip"
        job = batch.run(model, batch.sources(paths, Limits()), out, look=look, limits=Limits())
        return job, zipfile.ZipFile(out)

    return invoke


def rows_of(archive):
    return list(csv.DictReader(io.StringIO(archive.read("areas.csv").decode())))


def pixels_of(archive, name):
    return np.asarray(Image.open(io.BytesIO(archive.read(name))))


def test_a_zip_gives_masks_and_overlays_at_the_size_of_the_sources(run, zipped, png, image):
    job, archive = run(zipped({"set/a.png": png, "b.png": png}), look=Look(threshold=0.25))
    assert job.done == 2
    assert sorted(archive.namelist()) == [
        "areas.csv", "masks/b.png", "masks/set/a.png", "overlays/b.png", "overlays/set/a.png",
    ]  # fmt: skip
    expected = np.where(image[..., 0] / 255 > 0.25, 255, 0)
    assert (pixels_of(archive, "masks/b.png") == expected).all()
    assert pixels_of(archive, "overlays/b.png").shape == image.shape
    row = rows_of(archive)[0]
    assert (row["name"], row["class"], int(row["area_px"])) == (
        "set/a.png",
        "polyp",
        int((expected > 0).sum()),
    )
    assert float(row["area_percent"]) == pytest.approx(100 * (expected > 0).mean(), abs=1e-4)


def test_a_bad_file_is_named_in_the_table_and_stops_nothing(run, zipped, png):
    job, archive = run(zipped({"a.png": png, "notes.txt": b"no image", "z.png": png[:80]}))
    assert job.done == 1
    assert set(job.problems) == {"notes.txt", "z.png"}
    rows = {row["name"]: row for row in rows_of(archive)}
    assert rows["notes.txt"]["problem"].startswith("'notes.txt' is not an image that can be read")
    assert rows["a.png"]["problem"] == ""


def test_files_and_zips_may_come_together(run, zipped, png, tmp_path):
    (tmp_path / "b.png").write_bytes(png)
    (tmp_path / ".DS_Store").write_bytes(b"x")
    job, _ = run(zipped({"a.png": png, "__MACOSX/a.png": b"x"}), tmp_path / "b.png", tmp_path / ".DS_Store")
    assert (job.done, job.problems) == (2, {})


@pytest.mark.parametrize(("kind", "masks"), [("thirds", 1), ("layers", 2)])
def test_every_class_has_its_row(run, zipped, png, kind, masks, request):
    job, archive = run(zipped({"a.png": png}), model=request.getfixturevalue(kind))
    assert len(job.rows) == 2
    assert sum(name.startswith("masks/") for name in archive.namelist()) == masks


def test_names_that_differ_in_their_ending_or_case_only_stay_apart():
    assert batch.unique_names(["a.png", "A.jpg", "set/a.png", "a-2.png"]) == ["a", "A-2", "set/a", "a-2-2"]


def test_a_name_that_a_spreadsheet_would_compute_is_made_inert():
    assert "'=cmd" in batch.table([("=cmd()", "", "", "", "", "")])


def test_nothing_unpacked_stays_behind(run, zipped, png, tmp_path):
    run(zipped({"a.png": png, "b.txt": b"x"}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out.zip"]


def link(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    "member", ["../a.png", "/etc/a.png", "x/../../a.png", "..\\a.png", "C:/a.png", link("a.png")], ids=str
)
def test_a_path_that_leaves_the_folder_refuses_the_zip(zipped, png, member):
    with pytest.raises(SegDistillError, match=r"'a.zip' holds '.*', which leads out of its folder"):
        batch.sources([zipped({"good.png": png, member: png})], Limits())


@pytest.mark.parametrize(
    ("files", "limits", "said"),
    [
        ({}, Limits(), "'a.zip' is empty"),
        ({"__MACOSX/x": b"x"}, Limits(), "'a.zip' is empty"),
        (
            {"a.png": bytes(3_000_000)},
            Limits(unpacked_megabytes=2),
            "These are 3 MB unpacked, and 2 are the limit",
        ),
        ({f"{i}.png": b"" for i in range(4)}, Limits(files=3), "These are 4 files, and 3 are the limit"),
    ],
    ids=["empty", "hidden files only", "bomb", "too many"],
)
def test_an_unfit_zip_is_refused_before_anything_is_unpacked(zipped, files, limits, said):
    with pytest.raises(SegDistillError, match=said):
        batch.sources([zipped(files)], limits)


@pytest.mark.parametrize("name", ["a.png", "a.zip"])
def test_an_upload_that_is_gone_is_to_be_chosen_again(tmp_path, name):
    with pytest.raises(SegDistillError, match="The upload is no longer kept: choose it again"):
        batch.sources([tmp_path / name], Limits())


@pytest.mark.parametrize("kind", ["png", "zip"])
def test_an_upload_that_goes_while_a_batch_runs_is_a_row_of_the_table(zipped, png, tmp_path, bright, kind):
    (tmp_path / "a.png").write_bytes(png)
    path = zipped({"a.png": png}) if kind == "zip" else tmp_path / "a.png"
    files = batch.sources([path], Limits())
    path.unlink()
    job = batch.run(bright, files, tmp_path / "out.zip", look=Look(), limits=Limits())
    assert job.problems == {"a.png": "The upload is no longer kept: choose it again."}


def test_a_zip_that_holds_a_name_twice_is_refused_instead_of_losing_one(tmp_path, png):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("b.png", png)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("b.png", b"another")
    with pytest.raises(SegDistillError, match="'a.zip' holds 'b.png' more than once: pack it anew"):
        batch.sources([tmp_path / "a.zip"], Limits())


def test_a_text_with_the_name_of_a_zip_is_refused(tmp_path):
    (tmp_path / "a.zip").write_text("no zip")
    with pytest.raises(SegDistillError, match="'a.zip' is no zip file"):
        batch.sources([tmp_path / "a.zip"], Limits())


def test_a_zip_whose_header_lies_about_the_size_fills_no_disk(zipped, tmp_path, run):
    path = zipped({"a.png": bytes(500_000)})
    true, lie = (500_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(true, lie))
    job, _ = run(path)
    assert "a.png" in job.problems


def test_files_and_zips_count_together(zipped, tmp_path):
    (tmp_path / "b.png").write_bytes(bytes(1_500_000))
    both = [zipped({"a.png": bytes(1_500_000)}), tmp_path / "b.png"]
    with pytest.raises(SegDistillError, match="These are 3 MB unpacked, and 2 are the limit"):
        batch.sources(both, Limits(unpacked_megabytes=2))


def test_a_full_disk_is_a_sentence_and_leaves_no_half_of_a_zip(bright, zipped, png, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    files = batch.sources([zipped({"a.png": png})], Limits())
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(
        SegDistillError, match="cannot be written: no space left on device; send fewer images"
    ):
        batch.run(bright, files, tmp_path / "out.zip", look=Look(), limits=Limits())
    assert not (tmp_path / "out.zip").exists()


def test_an_image_that_the_network_fails_on_is_a_row_of_the_table(run, zipped, png, bright):
    class Failing:
        classes = bright.predictor.classes

        def __call__(self, image):
            raise RuntimeError("out of memory\nat 0x0")

    job, _ = run(zipped({"a.png": png}), model=Model("net", Failing()))
    assert job.problems == {
        "a.png": "The network 'net' failed on 'a.png', 60 x 40 pixels: out of memory. Try another image."
    }


def test_nothing_at_all_is_a_sentence():
    with pytest.raises(SegDistillError, match="There is nothing to segment"):
        batch.sources([], Limits())
