"""Frozen dataclasses as JSON values and back: the edge at which typed results become dicts of texts."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints


def to_json(value: object) -> Any:
    """A dataclass as a dict of its fields, tuples as lists, NaN and infinity as null, for which JSON has no word.

    What is None or empty by default, and has that default, is left out.

    Example:
        >>> from likely.metrics.intervals import Estimate
        >>> to_json({0.9: (Estimate(0.9, 0.85, float("nan")),)})
        {'0.9': [{'value': 0.9, 'low': 0.85, 'high': None}]}
    """
    if isinstance(value, int | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        entries = ((field, getattr(value, field.name)) for field in fields(value))
        return {
            field.name: to_json(entry)
            for field, entry in entries
            if entry not in (None, (), {}) or field.default is field.default_factory is MISSING
        }
    if isinstance(value, Mapping):
        return {str(name): to_json(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [to_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_json(kind: Any, value: Any) -> Any:
    """The JSON value as this type: a dataclass, `tuple[X, ...]`, `Mapping[X, Y]`, `X | None`, a number or a text.

    Entries that the dataclass does not know are passed over: other versions may have written them. A TypeError says
    that one is missing or of another type.

    Example:
        >>> from likely.metrics.intervals import Estimate
        >>> from_json(tuple[Estimate, ...], [{"value": 0.9, "low": 0.85, "high": None}])
        (Estimate(value=0.9, low=0.85, high=nan),)
    """
    if kind in (int, str, bool):
        return _expected(kind, value)
    if isinstance(kind, type) and is_dataclass(kind):
        _expected(Mapping, value)
        hints = get_type_hints(kind)
        return kind(**{name: from_json(hints[name], entry) for name, entry in value.items() if name in hints})
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return value
    if type(None) in parts:
        return None if value is None else from_json(parts[0], value)
    if get_origin(kind) is tuple:
        return tuple(from_json(parts[0], entry) for entry in _expected(list, value))
    if get_origin(kind) is Mapping:
        # Names are texts in JSON, whatever they were before.
        entries = _expected(Mapping, value).items()
        return {parts[0](name): from_json(parts[1], entry) for name, entry in entries}
    assert kind is float, kind
    return float("nan") if value is None else float(_expected(int | float, value))


def _expected(kind: Any, value: Any) -> Any:
    """The value, which must be of this type; a boolean is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"got {value!r:.40}")
    return value
