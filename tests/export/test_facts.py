from segdistill.export.facts import Facts
from segdistill.taps import Tapped
from segdistill.tasks import Multilabel
from toys import tiny_net


def test_the_facts_name_the_network_by_its_recipe_or_its_class():
    tapped, task = Tapped(tiny_net(2), size=64), Multilabel(("a", "b"))
    parameters = sum(parameter.numel() for parameter in tapped.parameters())
    assert Facts.of(tapped, task) == Facts("TinyNet", parameters, (64, 64), "Multilabel", ("a", "b"))
    tapped.spec = {"spec": {"smp.FPN": {"encoder_name": "resnet18"}}}
    assert Facts.of(tapped, task).network == "smp.FPN on resnet18"
