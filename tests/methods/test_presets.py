import pytest
import torch

from fakes import TASKS, build, labels, output
from segdistill import config
from segdistill.core import SegDistillError
from segdistill.methods import KD, Method, Sum
from segdistill.methods.presets import PRESETS, VARIANTS, preset, uses

ANCESTORS = {
    "pixel-pair",
    "skd",
    "cwd",
    "cirkd",
    "cirkdv2",
    "aicsd",
    "emkd",
    "spark",
    "hlfd",
    "kdas3",
    "polyp-mobilenet",
}
every = pytest.mark.parametrize(
    ("name", "variant"), [(name, variant) for name in PRESETS for variant in VARIANTS]
)


def weight_of_the_labels(method):
    return torch.tensor([part.task_weight for part in method.parts]).prod().item()


def with_heads(found):
    """What PolypPVT gives beside its logits."""
    for name in ("head1", "head2"):
        found.features[name] = (found.logits.detach() * torch.rand(())).requires_grad_()
    return found


def computed(method, task_name="Multiclass"):
    task = TASKS[task_name]
    student, teacher = (with_heads(output((64, 64), task, seed=seed)) for seed in (0, 1))
    build(method, student, teacher, task)
    torch.manual_seed(0)
    return student, teacher, method(student, teacher, labels((64, 64), task))


def test_every_ancestor_has_a_preset():
    assert set(PRESETS) == ANCESTORS


@every
def test_a_preset_gives_finite_terms_and_a_gradient(name, variant):
    task = "Binary" if name == "polyp-mobilenet" else "Multiclass"
    student, _, terms = computed(preset(name, variant), task)
    loss = torch.stack(list(terms.values())).sum()
    loss.backward()
    assert loss.isfinite()
    read = [student.logits, *student.features.values()]
    assert sum(x.grad.abs().sum() for x in read if x.grad is not None) > 0


@every
def test_a_preset_says_where_it_comes_from_and_what_differs(name, variant):
    assert PRESETS[name].source
    assert PRESETS[name].differences.endswith(".")
    released = PRESETS[name].released
    if released is None:
        assert describe(preset(name)) == describe(preset(name, "as_released"))


def describe(method):
    return [(type(part).__name__, getattr(part, "weight", None)) for part in method.parts]


@every
def test_a_recipe_names_a_preset_as_it_is_and_completed(name, variant):
    short = {name: {"variant": variant}}
    for written in (short, config.complete({"method": short})["method"]):
        assert describe(config.build_method(written)) == describe(preset(name, variant))


def test_a_recipe_adds_presets_and_methods():
    found = config.build_method(["cirkd", {"AT": {"taps": "e4"}}])
    assert isinstance(found, Sum)
    assert [type(part).__name__ for part in found.parts] == ["KD", "CIRKD", "CIRKDMemory", "AT"]


def test_a_recipe_with_a_preset_is_completed_with_its_variant():
    full = config.complete({"method": "skd"})["method"]
    assert full == [{"skd": {"variant": "paper"}}]
    assert config.complete({"method": full})["method"] == full


def test_a_wrong_preset_names_the_right_one():
    with pytest.raises(SegDistillError, match="Unknown preset 'cirk'. Did you mean 'cirkd'"):
        preset("cirk")


def test_a_wrong_variant_names_the_right_one():
    with pytest.raises(
        SegDistillError, match="Unknown variant of skd 'released'. Did you mean 'as_released'"
    ):
        preset("skd", "released")
    with pytest.raises(SegDistillError, match="Unknown variant of skd 'released'"):
        config.build_method({"skd": {"variant": "released"}})


def test_no_preset_has_the_name_of_a_method():
    assert not PRESETS.keys() & Method.catalogue.keys()


def test_a_method_knows_the_presets_that_use_it():
    assert uses("CIRKDMemory") == ["cirkd", "cirkdv2"]
    assert {"cirkd", "cirkdv2", "emkd", "skd", "spark", "aicsd"} == set(uses("KD"))
    assert uses("VID") == []


def test_the_polyp_project_shares_the_loss_between_labels_and_teacher():
    method = preset("polyp-mobilenet", "as_released")
    student, teacher, terms = computed(method, "Binary")
    s, t = student.logits.detach() / 4, (teacher.logits / 4).sigmoid()
    cross = 16 * -(t * s.sigmoid().log() + (1 - t) * (1 - s.sigmoid()).log()).mean()
    torch.testing.assert_close(terms["SoftBCE/logits"], 0.4 * cross, check_dtype=False)
    assert weight_of_the_labels(method) == pytest.approx(0.6)


def test_the_polyp_projects_text_has_a_squared_error_in_which_the_temperature_cancels():
    method = preset("polyp-mobilenet", alpha=0.7, temperature=3)
    student, teacher, terms = computed(method, "Binary")
    error = 9 * (student.logits.detach() / 3 - teacher.logits / 3).square().mean()
    torch.testing.assert_close(terms["LogitMSE/logits"], 0.3 * error, check_dtype=False)
    assert weight_of_the_labels(method) == pytest.approx(0.7)


def test_a_preset_takes_the_numbers_that_its_project_leaves_open_and_no_others():
    full = config.complete({"method": {"polyp-mobilenet": {"alpha": 0.7}}})["method"]
    assert full == [{"polyp-mobilenet": {"variant": "paper", "alpha": 0.7, "temperature": 4.0}}]
    with pytest.raises(SegDistillError, match="Unknown option of skd 'alpha'"):
        config.complete({"method": {"skd": {"alpha": 0.7}}})
    with pytest.raises(SegDistillError, match="Unknown option of cirkd 'temperature'. Known: variant"):
        preset("cirkd", temperature=3)
    with pytest.raises(SegDistillError, match="the share of the labels"):
        preset("polyp-mobilenet", alpha=1.5)


@pytest.mark.parametrize(
    ("name", "weight"), [("pixel-pair", 1 / 6), ("aicsd", 1 / 6), ("skd", 1), ("kdas3", 0.7)]
)
def test_a_release_that_scales_the_labels_is_repeated(name, weight):
    assert weight_of_the_labels(preset(name, "as_released")) == pytest.approx(weight)


def test_kdas_distils_both_heads_and_its_release_guides_the_first():
    _, _, terms = computed(preset("kdas3"), "Binary")
    assert set(terms) == {"KDAS/head1", "KDAS/head2", "KDAS/guiding"}
    assert set(computed(preset("kdas3", "as_released"), "Binary")[2]) == {"KDASPublished/head1"}


def test_both_variants_of_hlfd_take_its_options():
    levels = ["e2", "e3", "e4", "e5"]
    for variant in VARIANTS:
        assert preset("hlfd", variant, encoder=levels, decoder=["d5", "d4"]).student_taps == (
            "d5",
            "d4",
            *levels[:3],
        )


def test_the_weight_of_the_labels_is_one_presets_own():
    preset("pixel-pair", "as_released")
    assert KD().task_weight == 1


def test_untrained_projections_are_new_in_every_step_and_train_nothing():
    method = preset("hlfd", "as_released")
    student, teacher, first = computed(method)
    second = method(student, teacher, labels((64, 64), TASKS["Multiclass"]))
    assert any(not torch.equal(first[name], second[name]) for name in first)
    assert not any(p.requires_grad for p in method.parameters())
    assert any(True for _ in method.parameters())
