"""Find images that are on both sides of a split."""

from __future__ import annotations

from segdistill.data.folder import FolderSet


def copies(train: FolderSet, test: FolderSet) -> list[tuple[str, str]]:
    """List (training id, test id) of image files with equal bytes, whatever they are called.

    Frames of one video and re-encoded copies are not found: those are for groups to keep together.
    """
    known = {content: name for name, content in train.image_hashes().items()}
    return [(known[content], name) for name, content in test.image_hashes().items() if content in known]
