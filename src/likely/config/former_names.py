"""What version 0.1.0 called otherwise: still read, for one version, with a warning."""

import warnings
from collections.abc import Mapping

from likely.errors import RenamedWarning

_RENAMED = {"picture": "image"}  # deprecated


def with_present_names(settings: Mapping[str, object]) -> dict[str, object]:
    """Settings under their present names, with a RenamedWarning for each that has a value under its old one."""
    present = dict(settings)
    for old, new in _RENAMED.items():
        if old in present and new not in present:
            present[new] = present.pop(old)
            # The config.json of a run folder holds every setting, used or not.
            if present[new] is not None:
                warnings.warn(f"The setting {old} is deprecated; use {new}.", RenamedWarning, stacklevel=3)
    return present


def current_augmentation(part: object) -> object:
    """`"hflip"` for its old name, with a RenamedWarning; anything else is returned as it is."""
    if part != "mirror":  # deprecated
        return part
    warnings.warn("The augmentation 'mirror' is deprecated; use 'hflip'.", RenamedWarning, stacklevel=3)
    return "hflip"
