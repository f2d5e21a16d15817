"""How rows of similarities differ between two networks, in bounded memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Similarities held at once, per network: 16 MB of them, and a handful of temporaries as large.
ELEMENTS = 2**22


def row_divergence(
    rows: Tensor,
    columns: Tensor,
    teacher_rows: Tensor,
    teacher_columns: Tensor,
    *,
    temperature: float,
    shares: Tensor | None = None,
) -> Tensor:
    r"""Mean over rows and groups of columns of the divergence between two networks' similarities.

    $$\underset{r,g}{\mathrm{mean}} \; \mathrm{KL}\big(\mathrm{softmax}_p \langle x^t_r, y^t_{gp} \rangle / \tau
    \,\|\, \mathrm{softmax}_p \langle x^s_r, y^s_{gp} \rangle / \tau\big)$$

    The table of similarities is never held as a whole, in the backward pass neither: its gradient is taken on the
    way, a few rows at a time.

    Args:
        rows: The student's, `(R, D)`.
        columns: The student's, `(G, P, D)`.
        teacher_rows: `(R, E)`; the teacher's width may differ.
        teacher_columns: `(G, P, E)`.
        temperature: $\tau$.
        shares: `(R,)`, how much each row counts; all alike if not given. Where none counts, the result is zero.

    Returns:
        A scalar, with gradients for the student's tensors. Without any column it is zero.
    """
    weights = rows.new_ones(len(rows)) if shares is None else shares
    weights = weights / weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
    result: Tensor = _RowDivergence.apply(
        rows, columns, teacher_rows, teacher_columns, weights / (len(columns) * temperature), temperature
    )
    return result


class _RowDivergence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        columns: Tensor,
        teacher_rows: Tensor,
        teacher_columns: Tensor,
        weights: Tensor,
        temperature: float,
    ) -> Tensor:
        flat = columns.flatten(0, 1)
        total, d_rows, d_flat = rows.new_zeros(()), rows.new_zeros(rows.shape), flat.new_zeros(flat.shape)
        for start, count in _parts(len(rows), columns.shape[0] * columns.shape[1]):
            some, weight = rows.narrow(0, start, count), weights.narrow(0, start, count)[:, None, None]
            s = _log_softmax(some, columns, temperature)
            t = _log_softmax(teacher_rows.narrow(0, start, count), teacher_columns, temperature)
            p = t.exp()
            total += (weight * (t.sub_(s).mul_(p))).sum()
            if any(ctx.needs_input_grad[:2]):
                slope = s.exp_().sub_(p).mul_(weight).flatten(1)
                d_rows.narrow(0, start, count).copy_(slope @ flat)
                d_flat.addmm_(slope.T, some)
        ctx.save_for_backward(d_rows, d_flat.view(columns.shape))
        return total * temperature

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        d_rows, d_columns = ctx.saved_tensors
        return gradient * d_rows, gradient * d_columns, None, None, None, None


def _log_softmax(rows: Tensor, columns: Tensor, temperature: float) -> Tensor:
    table = (rows @ columns.flatten(0, 1).T).div_(temperature)
    return table.view(len(rows), *columns.shape[:2]).log_softmax(dim=2)


def _parts(rows: int, columns: int) -> list[tuple[int, int]]:
    """Starts and lengths of as many rows as may be held at once."""
    step = max(1, ELEMENTS // max(1, columns))
    return [(start, min(step, rows - start)) for start in range(0, rows, step)]
