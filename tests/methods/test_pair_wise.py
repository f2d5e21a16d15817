"""The pair-wise term, and what the released code makes of it."""

import math

import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import PairWise
from segdistill.methods.released.pair_wise import PairWisePublished
from segdistill.methods.released.seed002 import ColumnAttention
from segdistill.tasks import Binary


def loss(method, student, teacher):
    outputs = [Output(torch.zeros(len(x), 1, 4, 4), {"f": x}) for x in (student, teacher)]
    method.build(*outputs, Binary())
    (value,) = method(*outputs, torch.zeros(len(student), 4, 4)).values()
    return value


def plain(student, teacher, high, wide):
    """Loops over cells and pairs in float64."""
    total = []
    for pair in zip(student.double().numpy(), teacher.double().numpy(), strict=True):
        tables = []
        for x in pair:
            cells = [
                x[:, top : top + high, left : left + wide].max(axis=(1, 2))
                for top in range(0, x.shape[1], high)
                for left in range(0, x.shape[2], wide)
            ]
            tables.append([[a @ b / math.sqrt((a @ a) * (b @ b)) for b in cells] for a in cells])
        total.append(np.mean((np.array(tables[0]) - np.array(tables[1])) ** 2))
    return np.mean(total)


@pytest.mark.parametrize(
    ("options", "cell"),
    [
        ({}, (3, 2)),
        ({"scale": 0.25}, (1, 1)),
        ({"scale": 1}, (7, 5)),
        ({"patch": 2}, (2, 2)),
        ({"patch": 9}, (7, 5)),
    ],
)
@pytest.mark.parametrize("cls", [PairWise, PairWisePublished])
def test_compares_the_cosines_of_all_pairs_of_cells(cls, options, cell):
    s, t = torch.randn(2, 6, 7, 5), torch.randn(2, 4, 7, 5)
    assert loss(cls("f", **options), s, t).item() == pytest.approx(plain(s, t, *cell), rel=2e-5, abs=1e-12)


def test_a_cell_of_zeros_gives_no_nan_and_no_gradient():
    s = torch.randn(1, 3, 4, 4)
    s[..., :2, :2] = 0
    s.requires_grad_()
    value = loss(PairWise("f", patch=2), s, torch.randn(1, 3, 4, 4))
    value.backward()
    assert value.isfinite()
    assert s.grad.isfinite().all()
    assert s.grad[..., :2, :2].abs().sum() == 0


def test_with_a_patch_the_value_does_not_change_with_resolution():
    s, t = torch.randn(2, 6, 8, 8), torch.randn(2, 6, 8, 8)
    tiled = [x.repeat(1, 1, 2, 2) for x in (s, t)]
    torch.testing.assert_close(loss(PairWise("f", patch=2), s, t), loss(PairWise("f", patch=2), *tiled))


def test_the_released_gradient_stretches_features_and_the_canonical_one_does_not():
    along = {}
    t = torch.randn(1, 6, 4, 4)
    for cls in (PairWise, PairWisePublished):
        s = torch.randn(1, 6, 4, 4, generator=torch.Generator().manual_seed(3)).requires_grad_()
        loss(cls("f", patch=1), s, t).backward()
        along[cls] = (s.grad * s).sum(dim=1).abs().max().item()
    assert along[PairWise] < 1e-7
    assert along[PairWisePublished] > 1e-4


def test_column_attention_brings_every_column_to_unit_length():
    s, t = torch.randn(2, 6, 7, 5), torch.randn(2, 4, 7, 5)

    def columns(x):
        energy = (x.double().numpy() ** 2).mean(axis=1)
        return energy / np.linalg.norm(energy, axis=1, keepdims=True)

    expected = ((columns(s) - columns(t)) ** 2).mean()
    assert loss(ColumnAttention("f"), s, t).item() == pytest.approx(expected, rel=2e-5)
    turned = loss(ColumnAttention("f"), s.transpose(2, 3), t.transpose(2, 3)).item()
    assert turned != pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0}, "PairWise needs scale above 0 and up to 1, got 0"),
        ({"scale": 1.5}, "up to 1, got 1.5"),
        ({"patch": 0}, "PairWise needs patch of at least 1, got 0"),
        ({"scale": 0.5, "patch": 2}, "takes a scale or a patch, got scale=0.5 and patch=2. Leave one out"),
    ],
)
def test_impossible_cells_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        PairWise(**options)
