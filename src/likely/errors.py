"""What can go wrong, as one tree, so that callers catch as much of it as they mean to.

    LikelyError
    ├── ConfigError          an option, preset, network or name that does not exist (ValueError)
    ├── DataError            data that cannot be learned from or evaluated on (ValueError)
    │   ├── ImageError       one image that cannot be read
    │   └── ShapeError       arrays whose shapes or dtypes do not fit
    ├── ProbabilityError     numbers that are not probabilities (ValueError)
    │   ├── UnknownOutcomeError   an outcome that the sample space does not hold
    │   ├── SpaceMismatchError    two sample spaces that differ
    │   └── ImpossibleEventError  conditioning on an event of probability 0
    ├── EngineError          an engine asked for what it cannot do
    │   └── MissingExtraError     an optional package is not installed
    ├── DivergenceError      the loss became NaN or infinite, or grew
    ├── ModelFileError       a model file that is damaged, foreign or from a newer version
    └── OutputError          a file or folder that cannot be written

    LikelyWarning            everything that the library warns of
    ├── CacheWarning                 images or their features could not be kept for the next time
    ├── ColumnWarning                what was decided of a frame's columns, or of values that a model does not know
    ├── DamagedFileWarning           a file that is not what it should be was passed over
    ├── GuaranteeWarning             something that models usually promise is missing here, or holds for less
    ├── ImprobableConditionWarning   conditioning on an event of tiny probability
    ├── RankWarning                  a design matrix without full column rank
    └── RenamedWarning               an argument or option under its old name (DeprecationWarning)

Messages follow one template: what must be which way; what came; why; what to try.
"""

import difflib
import functools
import warnings
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar


class LikelyError(Exception):
    """Anything that likely reports as a mistake or a failure."""


class ConfigError(LikelyError, ValueError):
    """An option, preset, network or name that does not exist or does not fit the others."""


class DataError(LikelyError, ValueError):
    """Data that cannot be learned from or evaluated on."""


class ImageError(DataError):
    """One image that cannot be read; the message names it."""


class ShapeError(DataError):
    """Arrays whose shapes or dtypes do not fit each other."""


class ProbabilityError(LikelyError, ValueError):
    """Numbers that are not probabilities, or a question that probability cannot answer."""


class UnknownOutcomeError(ProbabilityError):
    """An outcome that the sample space does not hold."""


class SpaceMismatchError(ProbabilityError):
    """Two sample spaces that should be one."""


class ImpossibleEventError(ProbabilityError):
    """Conditioning on an event of probability 0."""


class EngineError(LikelyError):
    """An engine asked for what it cannot do."""


class MissingExtraError(EngineError):
    """An optional package that is not installed; the message gives the `pip install` line."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs an optional package. Install it with: pip install 'likely[{extra}]'")
        self.extra = extra


class DivergenceError(LikelyError):
    """The loss became NaN or infinite, or too large to call it learning, at `step` (counted from 1)."""

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message)
        self.step = step


class ModelFileError(LikelyError):
    """A model file that is damaged, foreign or from a newer version."""


class OutputError(LikelyError, OSError):
    """A file or folder that cannot be written."""


class LikelyWarning(UserWarning):
    """Everything that likely warns of."""


class CacheWarning(LikelyWarning):
    """Decoded images, or their features, could not be kept on disk for the next time."""


class ColumnWarning(LikelyWarning):
    """What was decided of the columns of a data frame, or of values in them that a model does not know."""


class DamagedFileWarning(LikelyWarning):
    """A file that is not what it should be was passed over, for another place had a good one to offer."""


class GuaranteeWarning(LikelyWarning):
    """What models usually promise is missing here: calibration, sets, familiarity, a label that can be answered, or
    that anything was learned at all."""


class ImageWarning(LikelyWarning):
    """What was decided of images that differ in what a network must get alike, such as their size."""


class ImprobableConditionWarning(LikelyWarning):
    """Conditioning on an event of tiny probability: the answer rests on almost nothing."""


class RankWarning(LikelyWarning):
    """A design matrix without full column rank: infinitely many parameters fit equally well."""


def unknown_name(what: str, name: object, choices: Iterable[str]) -> str:
    """The message for a name that does not exist: all that do, and the nearest, if one is near.

    Example:
        >>> print(unknown_name("preset", "fats", ["fast", "best"]))
        preset must be one of 'fast', 'best'; got 'fats'. Did you mean 'fast'?
        >>> print(unknown_name("preset", "xyz", ["fast", "best"]))
        preset must be one of 'fast', 'best'; got 'xyz'.
    """
    known = list(choices)
    hint = nearest(name, known)
    message = f"{what} must be one of {', '.join(map(repr, known))}; got {name!r}."
    return f"{message} {hint}" if hint.startswith("Did") else message


class RenamedWarning(LikelyWarning, DeprecationWarning):
    """An argument, option or value under a name that the next version will refuse; the message gives the new one."""


def nearest(name: object, choices: Iterable[object]) -> str:
    """A hint for messages: `Did you mean 'Shirt'?` if a choice is close to `name`, else the choices themselves.

    Example:
        >>> nearest("Shrt", ["Shirt", "Coat"])
        "Did you mean 'Shirt'?"
        >>> nearest("xyz", ["fast", "best"])
        "Choose from 'fast', 'best'."
    """
    known = list(choices)
    by_text = {str(choice): choice for choice in known}
    by_lower = {text.lower(): text for text in by_text}
    close = difflib.get_close_matches(str(name).lower(), list(by_lower), n=1, cutoff=0.6)
    if close:
        return f"Did you mean {by_text[by_lower[close[0]]]!r}?"
    listed = ", ".join(repr(choice) for choice in known[:20])
    return f"Choose from {listed}{', ...' if len(known) > 20 else ''}."


_P = ParamSpec("_P")
_R = TypeVar("_R")


def renamed_argument(old: str, new: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """A decorator: an argument is taken under its old name, too, with a RenamedWarning."""

    def accept_both(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> _R:
            if old in kwargs and new not in kwargs:
                warnings.warn(f"The argument {old} is deprecated; use {new}.", RenamedWarning, stacklevel=2)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return accept_both


def __getattr__(name: str) -> Any:
    if name == "PictureError":  # deprecated
        warnings.warn("PictureError is deprecated; use ImageError.", RenamedWarning, stacklevel=2)  # deprecated
        return ImageError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def within(where: object) -> str:
    """What to call a table within a sentence.

    Example:
        >>> within("The data frame"), within("Theses.csv")
        ('the data frame', 'Theses.csv')
    """
    text = str(where)
    return f"t{text[1:]}" if text.startswith("The ") else text
