"""Data sets, splits, augmentation and loading."""

from segdistill.data.augment import Augment
from segdistill.data.folder import FolderSet
from segdistill.data.folders import folders
from segdistill.data.groups import group_by_name
from segdistill.data.leaks import copies
from segdistill.data.loading import EpochSampler, Seeded, collate, loader
from segdistill.data.masks import BinaryMask, IndexMask
from segdistill.data.polyp import polyp, polyp_tests, polyp_train
from segdistill.data.released import ReleasedResize
from segdistill.data.samples import Data, Part, Sample, Samples
from segdistill.data.soft import SoftMask
from segdistill.data.splits import Split, carve
from segdistill.data.stored import Stored
from segdistill.data.synthetic import SyntheticSet, synthetic

__all__ = [
    "Augment",
    "BinaryMask",
    "Data",
    "EpochSampler",
    "FolderSet",
    "IndexMask",
    "Part",
    "ReleasedResize",
    "Sample",
    "Samples",
    "Seeded",
    "SoftMask",
    "Split",
    "Stored",
    "SyntheticSet",
    "carve",
    "collate",
    "copies",
    "folders",
    "group_by_name",
    "loader",
    "polyp",
    "polyp_tests",
    "polyp_train",
    "synthetic",
]
