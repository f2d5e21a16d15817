"""A folder of images with a folder of masks, paired by file name."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from segdistill.core import SegDistillError
from segdistill.data.groups import Grouping, group_by_name
from segdistill.data.masks import rule_for
from segdistill.data.samples import Samples, digest, in_threads, named
from segdistill.images.decode import SUFFIXES, image_size, read_image
from segdistill.images.pixels import Pixels

BINARY = ("background", "foreground")
_UNREAD = (".webp", ".gif", ".avif", ".heic", ".jfif", ".jp2", ".pgm", ".ppm", ".tga", ".dcm")


class FolderSet(Samples):
    """Images and masks of the same file stem in two folders.

    Names, pairs and sizes (from the headers) are checked when the set is made; `check()` decodes everything.

    Args:
        root: The folder that holds both.
        images: Sub-folder of the images (png, jpg, jpeg, tif, tiff, bmp in any case).
        masks: Sub-folder of the masks.
        classes: Class names by index, the background first.
        threshold: With two classes, the lowest grey value that is foreground; None where masks hold indices.
        ignore_index: Where masks hold indices, the value of pixels that count nowhere.
        group: What belongs together, see `group_by_name`.
        mask_suffix: What mask names have after the image's stem, such as `"_segmentation"`.

    Raises:
        SegDistillError: If a folder is missing or empty, a partner is missing, a name occurs twice, or an
            image and its mask differ in size.

    Examples:
        >>> FolderSet("my/data", classes=("background", "polyp"))  # doctest: +SKIP
    """

    def __init__(
        self,
        root: str | Path,
        *,
        images: str = "images",
        masks: str = "masks",
        classes: Sequence[str] = BINARY,
        threshold: int | None = 128,
        ignore_index: int | None = 255,
        group: Grouping = None,
        mask_suffix: str = "",
    ) -> None:
        self.root = Path(root)
        self.classes = tuple(classes)
        self._rule = rule_for(self.classes, threshold, ignore_index)
        pictures = list_images(self.root / images)
        labels = _without_suffix(list_images(self.root / masks), mask_suffix)
        _refuse_unpaired(self.root, pictures, labels)
        self.ids = sorted(pictures)
        self._paths = [(pictures[name], labels[name]) for name in self.ids]
        self.groups = group_by_name(self.ids, group)
        self.sources = [""] * len(self.ids)
        self._refuse_sizes()

    def arrays(self, index: int) -> tuple[Pixels, Pixels]:
        """Decode one pair."""
        image, mask = self._paths[index]
        return read_image(image), self._rule(mask)

    def hashes(self) -> dict[str, str]:
        """Hash the bytes of every pair of files."""
        return {name: digest(pair) for name, pair in zip(self.ids, self._file_hashes, strict=True)}

    def image_hashes(self) -> dict[str, str]:
        """Hash the bytes of every image file."""
        return {name: image for name, (image, _) in zip(self.ids, self._file_hashes, strict=True)}

    @cached_property
    def _file_hashes(self) -> list[tuple[str, str]]:
        return in_threads(self._hash_pair, range(len(self)))

    def _hash_pair(self, index: int) -> tuple[str, str]:
        image, mask = self._paths[index]
        return digest([image.read_bytes()]), digest([mask.read_bytes()])

    def sizes(self) -> list[tuple[int, ...]]:
        """Read the size of every image from its header."""
        return in_threads(lambda index: image_size(self._paths[index][0]), range(len(self)))

    def describe(self) -> str:
        """Name the rule that reads the masks."""
        return f"FolderSet({self._rule!r})"

    def stamps(self) -> list[str]:
        """Return name, bytes and time of change of each pair of files: no reading."""
        return [" ".join(map(_stamp, pair)) for pair in self._paths]

    def _refuse_sizes(self) -> None:
        """Compare the headers; a broken one is left to `check()`, which counts and names all broken files."""
        sizes = [(_header(image), _header(mask)) for image, mask in self._paths]
        wrong = [index for index, (image, mask) in enumerate(sizes) if image and mask and image != mask]
        if wrong:
            image, mask = sizes[wrong[0]]
            raise SegDistillError(
                f"{len(wrong)} of {len(self.ids)} masks in {str(self.root)!r} differ in size from their "
                f"images ({named([self.ids[i] for i in wrong])}); the first is {mask}, its image {image}."
            )


def list_images(folder: Path) -> dict[str, Path]:
    """Find the image files of one folder by stem, and warn of images of a kind that is not read.

    Raises:
        SegDistillError: If there is no such folder, no image in it, or one stem occurs twice.
    """
    if not folder.is_dir():
        raise SegDistillError(f"There is no folder {str(folder)!r}{_what_is_there(folder.parent)}")
    files = sorted(path for path in folder.iterdir() if _is_image(path))
    unread = sorted(path.name for path in folder.iterdir() if _is_image(path, _UNREAD))
    if not files:
        but = f", but not {named(unread)}; convert them to png" if unread else ""
        raise SegDistillError(f"No images in {str(folder)!r}; {', '.join(SUFFIXES)} files are read{but}.")
    if unread:
        warnings.warn(
            f"{len(unread)} images in {str(folder)!r} are left out, since their kind is not read ({named(unread)}); "
            "convert them to png, or take them out.",
            stacklevel=3,
        )
    found: dict[str, Path] = {}
    for path in files:
        if path.stem in found:
            raise SegDistillError(
                f"{found[path.stem].name!r} and {path.name!r} in {str(folder)!r} share a name; keep one."
            )
        found[path.stem] = path
    return found


def _is_image(path: Path, suffixes: Sequence[str] = SUFFIXES) -> bool:
    return path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()


def _what_is_there(parent: Path) -> str:
    if not parent.is_dir():
        return f"; {str(parent)!r} does not exist either."
    return f"; {str(parent)!r} holds {named(sorted(p.name for p in parent.iterdir()), limit=5) or 'nothing'}."


def _without_suffix(files: dict[str, Path], suffix: str) -> dict[str, Path]:
    return {stem.removesuffix(suffix): path for stem, path in files.items() if stem.endswith(suffix)}


def _refuse_unpaired(root: Path, images: dict[str, Path], masks: dict[str, Path]) -> None:
    pictures, labels = sorted(images.keys() - masks.keys()), sorted(masks.keys() - images.keys())
    for kind, partner, lonely, free, files in (
        ("images", "mask", pictures, labels, masks),
        ("masks", "image", labels, pictures, images),
    ):
        if lonely:
            close = difflib.get_close_matches(lonely[0], free, n=1, cutoff=0.5)
            hint = f"; is {files[close[0]].name!r} the one of {lonely[0]!r}?" if close else ""
            raise SegDistillError(
                f"{len(lonely)} {kind} in {str(root)!r} have no {partner} ({named(lonely)}){hint or '.'}"
            )


def _header(path: Path) -> tuple[int, int] | None:
    try:
        return image_size(path)
    except SegDistillError:
        return None


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path.name}:{status.st_size}:{status.st_mtime_ns}"
