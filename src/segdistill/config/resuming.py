"""Going on with a run although options were added since it began."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segdistill.config.sections import complete
from segdistill.config.text import parse_file


def as_begun(config: Mapping[str, Any], run: str | Path) -> dict[str, Any]:
    """Leave out the options that a run's own configuration does not know and that have their defaults.

    So that they are no difference: a run does today what it did before there was the option.

    Args:
        config: The complete configuration to go on with.
        run: The run folder; where there is none yet, nothing is left out.
    """
    file = Path(run) / "config.yaml"
    if not file.is_file():
        return dict(config)
    begun = parse_file(file)
    return dict(_without_younger(config, begun, complete(begun)))


def _without_younger(config: Any, begun: Any, today: Any) -> Any:
    """`today` is what `begun` means now, with every default filled in."""
    kinds = {type(each) for each in (config, begun, today)}
    if kinds == {dict}:
        return {
            key: _without_younger(value, begun.get(key), today.get(key))
            for key, value in config.items()
            if key in begun or value != today.get(key)
        }
    if kinds == {list} and len(config) == len(begun) == len(today):
        return [_without_younger(*each) for each in zip(config, begun, today, strict=True)]
    return config
