"""What surrounds the page: its examples, its temporary files, and the ways not to start."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from segdistill import SegDistillError
from segdistill.app import Limits, Model, examples, serving
from segdistill.app.scratch import Scratch
from segdistill.app.shelf import Shelf
from segdistill.images.decode import read_image


def test_without_gradio_the_app_says_how_to_have_it(monkeypatch):
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    with pytest.raises(SegDistillError, match=r"needs gradio, .*: pip install 'segdistill\[app\]'"):
        serving.serve([], serving.Address())


def test_what_is_older_than_an_hour_is_removed_and_in_the_end_everything():
    scratch = Scratch()
    old, new = scratch.folder(), scratch.folder()
    (old / "mask.png").write_bytes(b"x")
    os.utime(old / "mask.png", (time.time() - 3700,) * 2)
    os.utime(old, (time.time() - 3700,) * 2)
    scratch.sweep()
    assert (old.exists(), new.exists()) == (False, True)
    scratch.close()
    assert not scratch.root.exists()


def test_what_is_still_being_written_is_kept_however_long_it_takes():
    scratch = Scratch()
    folder = scratch.folder()
    (folder / "half.zip").write_bytes(b"x")
    os.utime(folder, (time.time() - 3700,) * 2)
    scratch.sweep()
    assert (folder / "half.zip").exists()
    scratch.close()


def test_what_is_left_of_an_upload_that_broke_off_is_removed_too():
    scratch = Scratch()
    scratch.uploads.mkdir()
    (scratch.uploads / "tmp1").write_bytes(b"half")
    os.utime(scratch.uploads / "tmp1", (time.time() - 3700,) * 2)
    scratch.sweep()
    assert not list(scratch.uploads.iterdir())
    scratch.close()


def test_what_vanishes_while_the_sweeper_looks_is_not_there(monkeypatch):
    scratch = Scratch()
    running, done = scratch.folder(), scratch.folder()
    (running / "member.png").write_bytes(b"x")

    def emptied(folder, listed=Path.iterdir):
        found = list(listed(folder))
        if done in found:
            done.rmdir()
        if folder == running:
            (running / "member.png").unlink()
        return iter(found)

    monkeypatch.setattr(Path, "iterdir", emptied)
    scratch.sweep()
    assert running.exists()
    assert not done.exists()
    scratch.close()


def test_the_sweeper_ends_with_the_app_and_without_a_word():
    scratch = Scratch()
    scratch.sweep_always(every=0.001)
    sweeper = next(thread for thread in threading.enumerate() if thread.name == "sweep")
    scratch.close()
    sweeper.join(timeout=10)  # what it raised would be a warning, and so an error
    assert not sweeper.is_alive()


def test_the_oldest_results_go_where_there_is_no_room(bright, image):
    found = bright(np.repeat(image, 20, 0))  # 48 000 pixels of 8 bytes
    shelf = Shelf(megabytes=1)
    first, second, third = (shelf.keep([found]) for _ in range(3))
    assert (first.results, len(second.results), len(third.results)) == ((), 1, 1)
    del second
    fourth = shelf.keep([found])
    assert (len(third.results), len(fourth.results)) == (1, 1), "what its user dropped takes no room"
    assert len(Shelf(megabytes=0).keep([found]).results) == 1


def test_examples_are_drawn_where_none_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "COUNT", 2)
    first, second = examples.draw(tmp_path, size=(64, 80))
    assert read_image(first).shape == (64, 80, 3)
    assert (read_image(first) != read_image(second)).any()


def test_a_folder_without_images_gives_no_examples(tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SegDistillError, match="holds no image to show as an example"):
        examples.find(tmp_path, Limits())


def test_a_file_that_is_no_image_is_sent_to_nobody_as_an_example(tmp_path):
    (tmp_path / "secret.txt").write_text("password")
    (tmp_path / "a.png").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(SegDistillError, match="a.png' is not an image that can be read"):
        examples.find(tmp_path, Limits())


def test_two_users_never_ask_one_network_at_once(image):
    class Watched:
        classes = ("background", "polyp")
        inside = most = 0

        def __call__(self, pixels):
            self.inside += 1
            self.most = max(self.most, self.inside)
            time.sleep(0.002)
            self.inside -= 1
            return None

    watched = Watched()
    model = Model("watched", watched)
    threads = [threading.Thread(target=model, args=(np.zeros_like(image),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watched.most == 1
