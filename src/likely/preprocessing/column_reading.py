"""How the cells of one column of a table become values: decided once, by the whole column, and stored in the model."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["number", "category", "date"]

TIME = "H:M"
"""The order of times without a date: of a day, or durations."""


@dataclass(frozen=True)
class ColumnReading:
    """What a column holds, and how that is written.

    Args:
        kind: numbers, texts that name categories, or dates and times.
        decimal: what stands before the decimals of a number; ".," for either.
        thousands: what stands between groups of three digits; "" for nothing.
        unit: what stands before or behind every number, such as "mm"; it is not looked at.
        missing: the texts that mean a missing value, beside an empty cell; None for the usual ones, such as NA.
        codes: the numbers that mean a missing value, such as -999.
        dates: the order of the parts of a date, such as "Y-m-d" or "d-m-Y"; `TIME` for times without one.
    Example:
        >>> ColumnReading("number", decimal=",").to_json()
        {'kind': 'number', 'decimal': ','}
    """

    kind: Kind
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    missing: tuple[str, ...] | None = None
    codes: tuple[float, ...] = ()
    dates: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal one of: those that are not usual."""
        usual = ColumnReading(self.kind)
        given = {name: getattr(self, name) for name in _FIELDS if getattr(self, name) != getattr(usual, name)}
        return {"kind": self.kind} | {
            name: list(value) if isinstance(value, tuple) else value for name, value in given.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ColumnReading":
        """The one that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        unknown = set(values) - set(_FIELDS)
        texts = [value for name, value in values.items() if name not in ("missing", "codes")]
        texts += values.get("missing") or ()
        is_known = not unknown and values["kind"] in ("number", "category", "date")
        if not is_known or not all(isinstance(t, str) for t in texts):
            raise ValueError(f"the reading of a column: {values}")
        given: dict[str, Any] = dict(values)
        given |= {name: tuple(given[name]) for name in ("missing", "codes") if given.get(name) is not None}
        return cls(**given)


_FIELDS = tuple(field.name for field in fields(ColumnReading))
