"""Reading and writing recipes."""

from __future__ import annotations

import pytest

from segdistill.config import complete, names, read, source, write
from segdistill.core import SegDistillError


def test_a_bundled_recipe_is_read_by_name():
    assert read("demo")["name"] == "demo"
    assert source("demo").startswith("#")


def test_what_is_written_is_read_back(recipe, tmp_path):
    full = complete(recipe)
    write(full, tmp_path / "config.yaml")
    assert read(tmp_path / "config.yaml") == full


def test_a_run_folder_is_read_by_its_configuration(recipe, tmp_path):
    write(recipe, tmp_path / "config.yaml")
    assert read(tmp_path) == recipe


def test_a_wrong_name_names_the_right_one_and_where_to_look():
    with pytest.raises(
        SegDistillError, match=r"Unknown recipe 'dmo'. Did you mean 'demo'\? `segdistill recipes`"
    ):
        read("dmo")


@pytest.mark.parametrize("name", ["mine.yaml", "some/where"])
def test_a_missing_file_is_named(name):
    with pytest.raises(SegDistillError, match=f"There is no recipe '{name}'"):
        read(name)


def test_a_file_with_an_unknown_section_is_refused(tmp_path):
    (tmp_path / "mine.yaml").write_text("studnet: {}")
    with pytest.raises(SegDistillError, match="Unknown section 'studnet'. Did you mean 'student'"):
        read(tmp_path / "mine.yaml")


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "mine.yaml").write_text("- KD")
    with pytest.raises(SegDistillError, match="is not a recipe"):
        read(tmp_path / "mine.yaml")


def test_a_short_and_a_long_way_to_every_recipe():
    assert names() == sorted(names())
    assert {"demo", "folder", "polyp-lite"} <= set(names())
