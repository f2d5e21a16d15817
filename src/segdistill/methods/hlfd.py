"""Distillation between levels of different depth, HLFD, and the simpler forms it was compared with."""

from __future__ import annotations

from collections.abc import Mapping

from segdistill.methods.base import Taps
from segdistill.methods.parts.hlfd_base import BetweenLevels, Terms
from segdistill.methods.parts.hlfd_terms import PAPER, Attention, Directions, Term
from segdistill.methods.parts.levels import pair_up
from segdistill.methods.parts.limits import check_factors
from segdistill.methods.traits import Traits
from segdistill.taps import LOGITS

ENCODER = ("e1", "e2", "e3", "e4", "e5")
DECODER = ("d5", "d4", "d3", "d2")


class HLFDWithoutFeedback(BetweenLevels):
    r"""Distil the logits and the deepest feature, each to its like: what HLFD adds its feedback to.

    $$w_p \, P(z^s, z^t) + w_f \, I(e_5^s, e_5^t)$$

    $P$ is KD's divergence with $T^2$, $I$ the squared distance of attention maps (see `AttentionKD`). It is
    `wo_feedback` in the authors' code.

    Args:
        deepest: The deepest feature: one name, or a mapping from the student's name to the teacher's.
        temperature: $T$ of $P$.
        pixel: $w_p$, as published.
        feature: $w_f$, as published.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a factor is negative, all are zero, or the temperature or the weight is not positive.
    """

    paper = PAPER
    traits = Traits("features")

    def __init__(
        self,
        deepest: str | Mapping[str, str] = "e5",
        temperature: float = 4.0,
        pixel: float = 0.1,
        feature: float = 0.9,
        weight: float = 1.0,
    ) -> None:
        super().__init__(pixel, feature, temperature, weight)
        pairs = pair_up(type(self).__name__, deepest)
        self.compose({LOGITS: (1.0, self.classes(LOGITS))}, _likes(pairs, Attention))


class HLFDDeep(BetweenLevels):
    r"""Distil every level to its like.

    $$w_p \Big(P(z^s, z^t) + \sum_i D(d_i^s, d_i^t)\Big) + w_f \sum_i I(e_i^s, e_i^t)$$

    $P$ is KD's divergence with $T^2$ and $I$ the squared distance of attention maps (see `AttentionKD`). $D$ is the
    squared distance of unit-length channel vectors after a trained 1x1 projection of the student, mean over positions:
    feature channels are no classes, where the authors take a softmax over them. Their code, `deep_kd`, also compares
    the teacher's $d_5$ with itself, and projects with random weights made anew in every step.

    Args:
        encoder: Taps $e_i$: names, or a mapping from the student's names to the teacher's. A network that begins at
            `e2`, as those on mit_b0 do, has no `e1`: write `("e2", "e3", "e4", "e5")`.
        decoder: Taps $d_i$, likewise.
        temperature: $T$ of $P$.
        pixel: $w_p$, as published.
        feature: $w_f$, as published.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a factor is negative, all are zero, or the temperature or the weight is not positive.
    """

    paper = PAPER
    traits = Traits("features")

    def __init__(
        self,
        encoder: Taps = ENCODER,
        decoder: Taps = DECODER,
        temperature: float = 4.0,
        pixel: float = 0.1,
        feature: float = 0.9,
        weight: float = 1.0,
    ) -> None:
        super().__init__(pixel, feature, temperature, weight)
        down, up = (pair_up(type(self).__name__, levels) for levels in (encoder, decoder))
        self.compose(
            {LOGITS: (1.0, self.classes(LOGITS)), **_likes(up, Directions)},
            _likes(down, Attention),
        )


class HLFDIndividual(BetweenLevels):
    r"""Distil the teacher's last layer to the student's last and to some of its middle layers.

    $$w_p \Big(P(z^s, z^t) + \sum_i P(d_i^s, z^t)\Big) + w_f \sum_i I(e_i^s, e_5^t)$$

    $P$ is KD's divergence with $T^2$ after a trained 1x1 projection of $d_i$ onto the classes and linear enlarging;
    $I$ the squared distance of attention maps (see `AttentionKD`). It is the authors' `indv_feedback`, whose
    projections are random, and made anew in every step. The levels differ, so the value is not zero where the student
    equals the teacher.

    Args:
        encoder: Taps $e_i$: names, or a mapping from the student's names to the teacher's; the last is $e_5$.
        decoder: Taps $d_i$; only the student's are read.
        temperature: $T$ of $P$.
        pixel: $w_p$, as published.
        feature: $w_f$, as published.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a factor is negative, all are zero, or the temperature or the weight is not positive.
    """

    paper = PAPER
    traits = Traits("features", zero=False, tiles=False)

    def __init__(
        self,
        encoder: Taps = ("e2", "e4", "e5"),
        decoder: Taps = ("d4", "d2"),
        temperature: float = 4.0,
        pixel: float = 0.1,
        feature: float = 0.9,
        weight: float = 1.0,
    ) -> None:
        super().__init__(pixel, feature, temperature, weight)
        down, up = (pair_up(type(self).__name__, levels) for levels in (encoder, decoder))
        last = [*down.values()][-1]
        self.compose(
            {tap: (1.0, self.classes(tap)) for tap in (LOGITS, *up)},
            {tap: (1.0, Attention([tap], [last])) for tap in down},
        )


class HLFDConcatenated(BetweenLevels):
    r"""Distil the teacher's last layer to the student's last and to all of its middle layers as one.

    $$w_p \big(P(z^s, z^t) + P(U(d_5^s \ldots d_2^s), z^t)\big) +
    w_f \big(I(e_5^s, e_5^t) + I(U(e_1^s \ldots e_4^s), e_5^t)\big)$$

    $U$ brings levels to the smallest of them and concatenates their channels. $P$ is KD's divergence with $T^2$ after a
    trained 1x1 projection onto the classes and linear enlarging; $I$ the squared distance of attention maps (see
    `AttentionKD`). It is the authors' `cat_feedback_ours`, whose projections are random, and made anew in every step.
    The levels differ, so the value is not zero where the student equals the teacher.

    Args:
        encoder: Taps $e_i$: names, or a mapping from the student's names to the teacher's; the last is $e_5$.
            A network that begins at `e2`, as those on mit_b0 do, has no `e1`: write `("e2", "e3", "e4", "e5")`.
        decoder: Taps $d_i$; only the student's are read.
        temperature: $T$ of $P$.
        pixel: $w_p$, as published.
        feature: $w_f$, as published.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a factor is negative, all are zero, the temperature or the weight is not positive, or
            there are fewer than two levels of the encoder.
    """

    paper = PAPER
    traits = Traits("features", zero=False, tiles=False)

    def __init__(
        self,
        encoder: Taps = ENCODER,
        decoder: Taps = DECODER,
        temperature: float = 4.0,
        pixel: float = 0.1,
        feature: float = 0.9,
        weight: float = 1.0,
    ) -> None:
        super().__init__(pixel, feature, temperature, weight)
        down = pair_up(type(self).__name__, encoder, least=2)
        up = pair_up(type(self).__name__, decoder)
        (*middle, last), target = down, [*down.values()][-1]
        self.compose(
            {LOGITS: (1.0, self.classes(LOGITS)), "unified": (1.0, self.classes(*up))},
            {last: (1.0, Attention([last], [target])), "unified": (1.0, Attention(middle, [target]))},
        )


class HLFD(BetweenLevels):
    r"""Distil the teacher's middle layers to the student's first, and the teacher's last to the student's middle ones.

    $$w_p \Big(u \, D(d_5^s, U(d_5^t, d_4^t, d_3^t)) + v \sum_{i=2}^{4} P(d_i^s, z^t)\Big) +
    w_f \Big(u \, I(e_1^s, U(e_2^t, e_3^t, e_4^t)) + v \sum_{i=2}^{4} I(e_i^s, e_5^t)\Big)$$

    $U$ brings levels to the smallest of them and concatenates their channels. $P$ is KD's divergence with $T^2$ after a
    trained 1x1 projection onto the classes and linear enlarging; $I$ the squared distance of attention maps (see
    `AttentionKD`). $D$ is the squared distance of unit-length channel vectors, mean over positions, after a trained 1x1
    projection of $d_5^s$. There is no term from logits to logits: add KD for one.

    This is the authors' `recursive_feedback_ours`. Their projections are random, and made anew in every step, so
    that even equal logits differ; and $D$ is a divergence of softmaxes over feature channels, which are no classes.
    They project the teacher in $D$; trained, that could agree with the student on a constant, so the student is.
    The levels differ, so the value is not zero where the student equals the teacher.

    Args:
        encoder: Taps $e_1$ to $e_5$, at least three: names, or a mapping from the student's names to the teacher's. A
            network that begins at `e2`, as those on mit_b0 do, has no `e1`: write `("e2", "e3", "e4", "e5")`.
        decoder: Taps $d_5$ to $d_2$ from deep to shallow, at least two, likewise.
        temperature: $T$ of $P$.
        pixel: $w_p$, as published.
        feature: $w_f$, as published.
        unified: $u$, as published.
        individual: $v$, as published.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a factor is negative, all of a pair are zero, the temperature or the weight is not positive,
            or there are too few levels.
    """

    paper = PAPER
    traits = Traits("features", zero=False, tiles=False)

    def __init__(
        self,
        encoder: Taps = ENCODER,
        decoder: Taps = DECODER,
        temperature: float = 4.0,
        pixel: float = 0.1,
        feature: float = 0.9,
        unified: float = 0.5,
        individual: float = 0.5,
        weight: float = 1.0,
    ) -> None:
        super().__init__(pixel, feature, temperature, weight)
        check_factors("HLFD", {"unified": unified, "individual": individual})
        down, up = pair_up("HLFD", encoder, least=3), pair_up("HLFD", decoder, least=2)
        (first, *middle, _), (_, *theirs, last) = down, down.values()
        (deep, *shallow), (*uppers, _) = up, up.values()
        self.compose(
            {deep: (unified, Directions([deep], uppers))}
            | {tap: (individual, self.classes(tap)) for tap in shallow},
            {first: (unified, Attention([first], theirs))}
            | {tap: (individual, Attention([tap], [last])) for tap in middle},
        )


def _likes(pairs: Mapping[str, str], term: type[Term]) -> Terms:
    return {mine: (1.0, term([mine], [theirs])) for mine, theirs in pairs.items()}
