"""The page in Chromium: what a user does, and what a user must never see."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium"),
]
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
)
PATIENCE = 60_000  # milliseconds, for a machine with other work


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Address, file of calls, process and temporary folder of a running app."""
    pytest.importorskip("gradio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("site")
    calls = folder / "calls.txt"
    calls.touch()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("served.py")), str(port), "Bright", "Thirds", "Layers"],
        env={**os.environ, "CALLS": str(calls), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    while not any(line.startswith("Open http") for line in said):
        said.append(process.stdout.readline())
        assert process.poll() is None, "".join(said)
    yield f"http://127.0.0.1:{port}/", calls, process, folder
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, site):
    """Open the page as a user of one's own; in the end, no other host was asked for anything."""
    asked, contexts = [], []

    def open_page(width=1280, height=900):
        context = chromium.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(site[0])
        page.wait_for_selector("#segment-file input[type=file]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [url for url in asked if not url.startswith((site[0], "data:", "blob:"))]


@pytest.fixture
def picture(tmp_path):
    """Writes a ramp from dark to bright, of which Bright marks the bright half."""

    def write(name="ramp.png", size=(333, 517)):
        ramp = np.tile(np.linspace(0, 255, size[1]).astype(np.uint8), (size[0], 1))
        cv2.imwrite(str(tmp_path / name), np.dstack([ramp] * 3))
        return tmp_path / name

    return write


def share(width, threshold):
    """The area that Bright finds on a ramp of that width, as the page writes it."""
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    return f"{100 * (ramp / 255 > threshold).mean():.2f} %"


def upload(page, path, where="segment"):
    page.set_input_files(f"#{where}-file input[type=file]", str(path))


def facts(page, containing, where="segment"):
    page.wait_for_function(
        "([key, text]) => document.querySelector(key)?.innerText.includes(text)",
        arg=[f"#{where}-facts", containing],
    )
    return page.inner_text(f"#{where}-facts")


def slide(page, name, value):
    page.fill(f"#{name} input[type=number]", str(value))
    page.press(f"#{name} input[type=number]", "Enter")


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).first.click()


def download(page, button):
    with page.expect_download() as found:
        page.click(button)
    return found.value


def test_a_first_picture_comes_within_two_seconds(visit, picture):
    # The first visit of all is not judged: Chromium compiles the scripts then, and the app opens its files.
    # Everybody after it gets a page of one's own, and a first picture of any size in time.
    warm, seconds = visit(), []
    upload(warm, picture())
    facts(warm, "ramp.png")
    for size in ((333, 517), (600, 800), (1080, 1920)):
        page, path = visit(), picture(f"ramp-{size[1]}.png", size)
        start = time.perf_counter()
        upload(page, path)
        text = facts(page, path.name)
        page.wait_for_selector("#segment-picture img")
        seconds.append(time.perf_counter() - start)
        assert re.search(rf"{size[1]} x {size[0]} pixels · \d+ ms", text)
    assert max(seconds) < 2, seconds


def test_the_threshold_moves_the_area_without_asking_the_network(visit, picture, site):
    page = visit()
    upload(page, picture())
    before = facts(page, "ramp.png")
    calls = len(site[1].read_text().splitlines())
    shown = page.get_attribute("#segment-picture img", "src")
    slide(page, "segment-threshold", 0.9)
    facts(page, share(517, 0.9))
    assert share(517, 0.5) in before
    page.wait_for_function("old => document.querySelector('#segment-picture img').src != old", arg=shown)
    page.get_by_label("Contour").first.click()
    slide(page, "segment-opacity", 1)
    page.wait_for_timeout(500)
    assert len(site[1].read_text().splitlines()) == calls


def test_downloads_have_the_size_of_the_source(visit, picture, tmp_path):
    page = visit()
    upload(page, picture("large one.png", (1500, 2100)))
    facts(page, "2100")
    slide(page, "segment-threshold", 0.9)
    facts(page, share(2100, 0.9))
    for button, name in (("mask", "large-one_mask.png"), ("overlay", "large-one_overlay.png")):
        found = download(page, f"#segment-get-{button}")
        found.save_as(tmp_path / name)
        assert found.suggested_filename == name
        with Image.open(tmp_path / name) as image:
            assert image.size == (2100, 1500)
    mask = cv2.imread(str(tmp_path / "large-one_mask.png"), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) == {0, 255}
    assert (mask > 0).mean() == pytest.approx(0.1, abs=0.01), "the threshold that is shown"


def wrong_files(folder):
    (folder / "notes.png").write_text("no picture")
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("1", (10_000, 10_000)).save(folder / "huge.png")
    return {
        "notes.png": "'notes.png' is not an image that can be read: choose a PNG, JPEG, BMP or TIFF file.",
        "moving.gif": "'moving.gif' is an animated GIF",
        "huge.png": "'huge.png' has 100 megapixels, and 24 are the limit",
    }


def test_a_wrong_file_is_a_sentence_and_the_old_result_goes(visit, picture, tmp_path):
    page = visit()
    for name, sentence in wrong_files(tmp_path).items():
        upload(page, picture())
        facts(page, "ramp.png")
        page.click("#segment-file button[aria-label='Clear'], #segment-file button[title='Clear']")
        facts(page, "Choose an image")
        upload(page, tmp_path / name)
        facts(page, sentence)
        assert page.locator("#segment-picture img").count() == 0
        assert "Traceback" not in page.content()
        page.click("#segment-file button[aria-label='Clear'], #segment-file button[title='Clear']")
        facts(page, "Choose an image")


@pytest.mark.parametrize("name", ["a.bmp", "a.tif", "a.jpg", "grey.png", "deep.png", "alpha.png"])
def test_every_usual_kind_of_image_is_accepted(visit, tmp_path, name):
    ramp = np.tile(np.arange(250, dtype=np.uint8), (40, 1))
    pixels = {"grey.png": ramp, "deep.png": ramp.astype(np.uint16) * 257, "alpha.png": np.dstack([ramp] * 4)}
    cv2.imwrite(str(tmp_path / name), pixels.get(name, np.dstack([ramp] * 3)))
    page = visit()
    upload(page, tmp_path / name)
    assert "48.80 %" in facts(page, name)


def test_classes_have_colours_and_areas_of_their_own(visit, picture):
    page = visit()
    upload(page, picture())
    facts(page, "polyp")
    for network, classes in (("thirds", ("kidney", "tumour")), ("layers", ("bright", "left"))):
        page.click("#segment-model input")
        page.get_by_role("option", name=network).click()
        text = facts(page, classes[0])
        assert all(name in text for name in classes)
        assert page.locator("#segment-facts td i").count() == 2
        assert page.locator("#segment-threshold").is_visible() == (network == "layers")


def test_two_users_at_once_see_their_own_images(visit, picture, site):
    wide, tall = visit(), visit()
    upload(wide, picture("wide.png", (200, 500)))
    upload(tall, picture("tall.png", (500, 200)))
    facts(wide, "500 x 200")
    facts(tall, "200 x 500")
    for value in (0.9, 0.2):
        slide(wide, "segment-threshold", value)
        assert "wide.png" in facts(wide, share(500, value))
    assert "tall.png" in tall.inner_text("#segment-facts")
    slide(tall, "segment-threshold", 0.8)
    assert "200 x 500" in facts(tall, share(200, 0.8))
    assert download(wide, "#segment-get-mask").suggested_filename == "wide_mask.png"


def test_two_networks_stand_side_by_side(visit, picture, site):
    page = visit()
    tab(page, "Compare")
    upload(page, picture(), "compare")
    assert re.search(
        r"Dice of what is marked, all classes as one, 0\.\d{3}", facts(page, "Dice of", "compare")
    )
    for side in ("left", "right", "difference"):
        page.wait_for_selector(f"#compare-{side} img")
    calls = len(site[1].read_text().splitlines())
    before = page.inner_text("#compare-facts")
    slide(page, "compare-threshold", 0.2)
    page.wait_for_function("old => document.querySelector('#compare-facts').innerText != old", arg=before)
    assert len(site[1].read_text().splitlines()) == calls


def test_a_zip_comes_back_as_masks_overlays_and_a_table(visit, picture, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("a.png", "set/b.png"):
            archive.write(picture(), name)
        archive.writestr("notes.png", "no picture")
    page = visit()
    tab(page, "Batch")
    page.set_input_files("#batch-files input[type=file]", str(tmp_path / "in.zip"))
    page.wait_for_selector("#batch-files >> text=in.zip")
    page.click("#batch-start")
    assert "'notes.png' is not an image" in facts(page, "2 images segmented", "batch")
    found = download(page, "#batch-result a[download], #batch-result a")
    found.save_as(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("areas.csv").decode())))
        assert {"masks/a.png", "masks/set/b.png", "overlays/a.png"} <= set(archive.namelist())
    assert [row["name"] for row in rows] == ["a.png", "set/b.png", "notes.png"]


@pytest.mark.parametrize(
    ("members", "sentence"),
    [([], "'in.zip' is empty"), (["../../a.png"], "leads out of its folder")],
    ids=["empty", "leaves the folder"],
)
def test_an_unfit_zip_is_a_sentence(visit, picture, tmp_path, members, sentence):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in members:
            archive.write(picture(), name)
    page = visit()
    tab(page, "Batch")
    page.set_input_files("#batch-files input[type=file]", str(tmp_path / "in.zip"))
    page.wait_for_selector("#batch-files >> text=in.zip")
    page.click("#batch-start")
    facts(page, sentence, "batch")
    assert not page.locator("#batch-result").is_visible()


def test_a_video_comes_back_as_a_video_that_plays(visit, tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "clip.webm"), cv2.VideoWriter.fourcc(*"VP80"), 10, (160, 120))
    for value in range(0, 250, 25):
        writer.write(np.full((120, 160, 3), value, np.uint8))
    writer.release()
    page = visit()
    tab(page, "Video")
    page.set_input_files("#video-file input[type=file]", str(tmp_path / "clip.webm"))
    page.wait_for_selector("#video-file video")
    page.click("#video-start")
    facts(page, "10 frames", "video")
    page.wait_for_function("document.querySelector('#video-result video')?.readyState >= 2")


def test_the_webcam_is_a_source(visit):
    page = visit()
    tab(page, "Webcam")
    page.click("#segment-camera button >> text=/webcam/i")
    page.wait_for_selector("#segment-camera video")
    page.wait_for_timeout(1000)
    page.click("#segment-camera button[aria-label*='capture' i]")
    assert "webcam" in facts(page, "per frame")


def test_an_example_is_one_click_away(visit):
    page = visit()
    page.locator("#segment-examples button img").nth(1).click()
    facts(page, "synthetic-2.png")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(visit, picture, width):
    page = visit(width=width)
    upload(page, picture())
    facts(page, "ramp.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_stopped_app_leaves_no_file_behind(site):
    """The last test: it stops the app that all others used."""
    _, _, process, folder = site
    assert list(folder.glob("segdistill-app-*/uploads/**/*.png"))
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    assert not list(folder.glob("segdistill-app-*"))
