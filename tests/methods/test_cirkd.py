"""Cross-image relations: the mini-batch term, its bounded memory, and the channel terms."""

import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import CIRKD, CIRKDChannel, TokenSimilarity
from segdistill.methods.parts import similarity
from segdistill.methods.parts.similarity import row_divergence
from segdistill.tasks import Binary, Multiclass


def outputs(student, teacher):
    return [Output(torch.zeros(len(x), 1, 4, 4), {"f": x}) for x in (student, teacher)]


def loss(method, student, teacher):
    pair = outputs(student, teacher)
    method.build(*pair, Binary())
    (value,) = method(*pair, torch.zeros(len(student), 4, 4)).values()
    return value


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def relations(rows_s, rows_t, temperature):
    """Mean over pairs of images of the mean divergence of rows, from `(B, rows, width)` in float64."""
    total = []
    for n in range(len(rows_s)):
        for m in range(len(rows_s)):
            q = softmax(rows_s[n] @ rows_s[m].T / temperature)
            p = softmax(rows_t[n] @ rows_t[m].T / temperature)
            total.append((p * np.log(p / q)).sum(axis=1).mean())
    return np.mean(total)


def unit(x, axis):
    return x / np.linalg.norm(x, axis=axis, keepdims=True)


def pixels(x):
    x = x.detach().double().numpy()
    return unit(x.reshape(*x.shape[:2], -1).transpose(0, 2, 1), 2)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("size", [(11,), (4, 3), (2, 3, 2)])
def test_is_loops_over_all_pairs_of_images(temperature, size):
    s, t = torch.randn(3, 5, *size), torch.randn(3, 7, *size)
    expected = relations(pixels(s), pixels(t), temperature)
    assert loss(CIRKD("f", temperature=temperature), s, t).item() == pytest.approx(expected, rel=2e-5)


def test_pooling_compares_means_of_cells_down_to_the_border():
    s, t = torch.randn(2, 5, 5, 4), torch.randn(2, 5, 5, 4)

    def cells(x):
        rows = [x[:, :, a : a + 2, b : b + 2].mean(dim=(2, 3)) for a in (0, 2, 4) for b in (0, 2)]
        return pixels(torch.stack(rows, dim=2))

    expected = relations(cells(s), cells(t), 0.1)
    assert loss(CIRKD("f", pool=2), s, t).item() == pytest.approx(expected, rel=2e-5)


def test_a_teacher_of_another_size_is_brought_to_the_students():
    s, t = torch.randn(2, 5, 4, 4), torch.randn(2, 5, 8, 8)
    smaller = torch.nn.functional.avg_pool2d(t, 2)
    torch.testing.assert_close(loss(CIRKD("f"), s, t), loss(CIRKD("f"), s, smaller))


def plain_divergence(rows, columns, teacher_rows, teacher_columns, *, temperature, shares=None):
    """What the chunks compute, in one piece and by autograd."""
    s, t = (
        (torch.einsum("rd,gpd->rgp", x, y) / temperature).log_softmax(dim=2)
        for x, y in ((rows, columns), (teacher_rows, teacher_columns))
    )
    per_row = (t.exp() * (t - s)).sum(dim=2).mean(dim=1)
    shares = torch.ones_like(per_row) if shares is None else shares
    return (per_row * shares).sum() / shares.sum()


@pytest.mark.parametrize("held", [1, 40, 10**6])
@pytest.mark.parametrize("shared", [False, True])
def test_chunks_of_any_size_give_the_value_and_the_gradients_of_one_piece(monkeypatch, held, shared):
    monkeypatch.setattr(similarity, "ELEMENTS", held)
    # A transposed view, as features of pixels are.
    columns = torch.randn(3, 4, 6, dtype=torch.float64).transpose(1, 2).requires_grad_()
    rows = columns.flatten(0, 1) if shared else torch.randn(10, 4, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(len(rows), 3, dtype=torch.float64), torch.randn(3, 6, 3, dtype=torch.float64)
    shares, leaves = torch.rand(len(rows), dtype=torch.float64), [columns] if shared else [rows, columns]
    found, expected = (
        (*torch.autograd.grad(value, leaves, retain_graph=True), value.detach())
        for value in (
            function(rows, columns, *teacher, temperature=0.3, shares=shares) * 2.5
            for function in (row_divergence, plain_divergence)
        )
    )
    torch.testing.assert_close(found, expected)


def test_rows_that_do_not_count_and_columns_that_are_not_there_give_zero_with_a_graph():
    rows, columns = torch.randn(5, 4, requires_grad=True), torch.randn(1, 6, 4)
    for used, shares in ((columns, torch.zeros(5)), (columns[:, :0], None)):
        value = row_divergence(rows, used, rows.detach(), used, temperature=0.1, shares=shares)
        (gradient,) = torch.autograd.grad(value, rows)
        assert value.item() == 0
        assert gradient.abs().sum() == 0


class Largest(torch.utils._python_dispatch.TorchDispatchMode):
    """Remembers the largest tensor that any operation makes."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.elements = max(self.elements, result.numel())
        return result


def test_memory_stays_bounded_forward_and_backward(monkeypatch):
    monkeypatch.setattr(similarity, "ELEMENTS", 4096)
    s, t = torch.randn(2, 4, 16, 16, requires_grad=True), torch.randn(2, 4, 16, 16)
    method, pair = CIRKD("f"), outputs(s, t)
    method.build(*pair, Binary())
    with Largest() as largest:
        method(*pair, torch.zeros(2, 4, 4))["CIRKD/f"].backward()
    # The whole table would have (2 * 256) ** 2 = 262144 similarities.
    assert largest.elements <= 4096
    assert s.grad.abs().sum() > 0


def test_a_step_works_under_no_grad():
    s, t = torch.randn(2, 5, 4, 3), torch.randn(2, 5, 4, 3)
    with torch.no_grad():
        torch.testing.assert_close(loss(CIRKD("f"), s, t), loss(CIRKD("f"), s.requires_grad_(), t).detach())


def test_pixels_without_any_feature_give_no_nan():
    s = torch.randn(2, 5, 4, 3)
    s[..., :2] = 0
    s.requires_grad_()
    loss(CIRKD("f"), s, torch.randn(2, 5, 4, 3)).backward()
    assert s.grad.isfinite().all()
    assert s.grad[..., :2].abs().sum() == 0


def projected(method, x):
    """The projector of 1x1 convolutions by hand, in training mode."""
    w0, _, _, w3 = method.adapters["f"]
    x = np.einsum("oc,bchw->bohw", w0.weight.detach().double().numpy()[..., 0, 0], x.double().numpy())
    mean, variance = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    x = np.maximum((x - mean) / np.sqrt(variance + 1e-5), 0)
    return np.einsum("oc,bchw->bohw", w3.weight.detach().double().numpy()[..., 0, 0], x)


def channel_maps(x):
    return unit(np.asarray(x).reshape(*x.shape[:2], -1), 2)


def test_channels_are_compared_across_all_pairs_of_images():
    s, t = torch.randn(3, 5, 4, 3), torch.randn(3, 7, 4, 3)
    method = CIRKDChannel("f", temperature=0.2, relation=2, regression=3)
    value = loss(method, s, t).item()
    mine, theirs = channel_maps(projected(method, s)), channel_maps(t.double())
    distance = ((mine - theirs) ** 2).sum(axis=2).mean()
    assert value == pytest.approx(2 * relations(mine, theirs, 0.2) + 3 * distance, rel=2e-5)


def test_channels_are_pooled_before_they_are_projected():
    s, t = torch.randn(2, 5, 6, 5), torch.randn(2, 7, 6, 5)
    method = CIRKDChannel("f", pool=4, relation=0, regression=1)
    value = loss(method, s, t).item()

    def cells(x):
        rows = [[x[:, :, a : a + 4, b : b + 4].mean(dim=(2, 3)) for b in (0, 4)] for a in (0, 4)]
        return torch.stack([torch.stack(row, dim=2) for row in rows], dim=2)

    mine, theirs = channel_maps(projected(method, cells(s))), channel_maps(cells(t).double())
    assert value == pytest.approx(((mine - theirs) ** 2).sum(axis=2).mean(), rel=2e-5)


@pytest.mark.parametrize("cls", [CIRKD, CIRKDChannel])
def test_one_image_is_refused(cls):
    with pytest.raises(SegDistillError, match=r"needs 2 of them in a batch, got 1\. Raise batch_size"):
        loss(cls("f"), torch.randn(1, 5, 4, 3), torch.randn(1, 5, 4, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CIRKD(temperature=0), "CIRKD needs a positive temperature, got 0"),
        (lambda: CIRKD(pool=0), "CIRKD needs pool of at least 1, got 0"),
        (lambda: CIRKDChannel(temperature=-1), "CIRKDChannel needs a positive temperature, got -1"),
        (lambda: CIRKDChannel(pool=0), "CIRKDChannel needs pool of at least 1, got 0"),
        (
            lambda: CIRKDChannel(relation=0, regression=0),
            "CIRKDChannel has nothing left: relation, regression are all 0",
        ),
        (lambda: CIRKDChannel(relation=-1), "CIRKDChannel needs relation of at least 0, got -1"),
    ],
)
def test_impossible_numbers_are_refused(make, message):
    with pytest.raises(SegDistillError, match=message):
        make()


@pytest.mark.parametrize("method", [CIRKD("f", pool=2), TokenSimilarity("f")], ids=["cells", "tokens"])
def test_a_map_that_leaves_one_position_is_refused(method):
    side = 2 if isinstance(method, CIRKD) else 1
    output = Output(torch.randn(2, 3, 8, 8), {"f": torch.randn(2, 4, side, side)})
    with pytest.raises(SegDistillError, match="compares positions, but tap 'f' leaves only one"):
        method.build(output, output, Multiclass(("a", "b", "c")))
