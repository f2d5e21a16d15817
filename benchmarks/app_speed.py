#!/usr/bin/env python3
"""How long a user of the app waits for a picture: from the choice of a file to the overlay in the browser.

    python benchmarks/app_speed.py RUN IMAGES [--rounds 5] [--count 4]

Starts `segdistill app RUN`, opens it in Chromium, and uploads the first images of a folder, one after the other. Every
round is a new visit, so its first image is the first a user sees; only the very first one also pays for the server's
own warming up. Needs `make test-browser`'s packages and Chromium. Prints and stores benchmarks/results/app-speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segdistill.engine.environment import environment
from segdistill.export.inputs import find_inputs

RESULTS = Path(__file__).with_name("results") / "app-speed.json"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
PATIENCE = 60_000
GOAL = 2.0


@contextmanager
def serving(run: Path) -> Iterator[str]:
    """The app as a process of its own; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "segdistill", "app", str(run), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield address(process)
        finally:
            process.terminate()


def address(process: subprocess.Popen[str]) -> str:
    """Where a starting app says that it is."""
    said = []
    for line in process.stdout or ():
        said.append(line)
        if line.startswith("Open http"):
            return line.split()[1]
    sys.exit("The app did not start:\n" + "".join(said))


def visit(browser: Any, url: str, images: list[Path]) -> list[float]:
    """Seconds until each picture is there, on a page that was just opened."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.wait_for_selector("#segment-file input[type=file]", state="attached")
        return [wait(page, image) for image in images]


def wait(page: Any, image: Path) -> float:
    """Upload an image, wait for its result, and clear the tab."""
    start = time.perf_counter()
    page.set_input_files("#segment-file input[type=file]", str(image))
    said(page, image.name)
    page.wait_for_selector("#segment-picture img")
    seconds = time.perf_counter() - start
    page.click("#segment-file button[aria-label='Clear'], #segment-file button[title='Clear']")
    said(page, "Choose an image")
    return seconds


def said(page: Any, text: str) -> None:
    """Wait until the tab says something."""
    page.wait_for_function(
        "text => document.querySelector('#segment-facts')?.innerText.includes(text)", arg=text
    )


def measure(run: Path, images: list[Path], rounds: int) -> dict[str, Any]:
    """Visit the app some times."""
    from playwright.sync_api import sync_playwright

    with serving(run) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        visits = [visit(browser, url, images) for _ in range(rounds)]
        browser.close()
    firsts = [seconds[0] for seconds in visits[1:]]
    return {
        "very first": visits[0][0],
        "first of a visit": {"median": statistics.median(firsts), "longest": max(firsts)},
        "later": {"median": statistics.median(s for seconds in visits for s in seconds[1:])},
        "goal": GOAL,
        "images": [image.name for image in images],
        "load": os.getloadavg()[0],
        "env": environment() | {"command": "python benchmarks/app_speed.py RUN IMAGES"},
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=4)
    options = parser.parse_args()
    images = find_inputs([options.images])[: options.count]
    record = measure(options.run, images, options.rounds)
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in record.items() if key != "env"}, indent=1))


if __name__ == "__main__":
    main()
