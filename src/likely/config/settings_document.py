"""A frozen document of settings: checked when it is made, read from JSON, and written as JSON and TOML."""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from likely.config.explain import explained
from likely.config.former_names import with_present_names
from likely.config.setting import declared


class SettingsDocument(BaseModel):
    """What a class of settings inherits; each field is a `setting`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    # Hidden from the type checker, which derives the real signature from the fields.
    if not TYPE_CHECKING:

        def __init__(self, /, **values: object) -> None:
            try:
                super().__init__(**{name: _plain(value) for name, value in with_present_names(values).items()})
            except ValidationError as error:
                raise explained(error, declared(type(self))) from None

    def __hash__(self) -> int:
        """Equal settings have equal hashes, dictionaries and all."""
        return hash(self.model_dump_json())

    def replace(self, **changes: object) -> Self:
        """The same settings with some changed, and checked again.

        Example:
            >>> from likely.config import RunConfig
            >>> RunConfig(seed=1).replace(seed=2).seed
            2
        """
        return type(self)(**{**self.model_dump(), **with_present_names(changes)})

    def to_json(self) -> dict[str, object]:
        """Plain JSON values, all fields."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Self:
        """The settings with these values by name; the others take their defaults.

        Example:
            >>> from likely.config import RunConfig
            >>> RunConfig.from_json(RunConfig(hidden=(64,)).to_json()).hidden
            (64,)
        """
        return cls(**document)

    def to_toml(self) -> str:
        """The fields that have a value, as a TOML document.

        Example:
            >>> from likely.config import RunConfig
            >>> print(RunConfig(data="digits", time_limit=60).to_toml().splitlines()[0])
            data = "digits"
        """
        return "".join(f"{name} = {_toml(value)}\n" for name, value in self.to_json().items() if value is not None)


def _toml(value: object) -> str:
    """A JSON value in TOML's notation."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_toml(name)} = {_toml(entry)}' for name, entry in value.items())} }}"
    # JSON's notation of strings, numbers, booleans and lists is TOML's too, but for the character DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(value: object) -> object:
    """NumPy's numbers and paths as Python's numbers and strings."""
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value
