"""What one setting is: its words for people, and what follows from its type.

The command line, files, estimators and the docs are made from these; `RunConfig` declares each setting once.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Field
from pydantic.fields import FieldInfo

from likely.config.registry import OneOf

Kind = Literal["switch", "whole number", "number", "text", "widths", "names", "weights", "sets"]
"""What a value is, which says how the command line reads it."""


@dataclass(frozen=True)
class Setting:
    """The words of a setting.

    Args:
        help: one or two sentences, for the command line and everything else.
        more: what else the reference says.
        otherwise: what happens without a value, where that is not a value itself.
        form: what a value looks like in a file, where its type does not say so.
        metavar: the placeholder of the value on the command line.
        panel: the group of options that it belongs to.
        option: its name on the command line, if that is another.
        estimators: which of them have it: none, one of both, or both.
        python: what the reference of the estimators says instead of `help` and `more`.
    """

    help: str
    more: str = ""
    otherwise: str = ""
    form: str = ""
    metavar: str | None = None
    panel: str | None = None
    option: str | None = None
    estimators: Literal["none", "classifier", "regressor", "both"] = "none"
    python: str = ""


def setting(default: object, help: str, more: str = "", **words: Any) -> Any:
    """A field of `RunConfig` that declares a setting: its default and the arguments of `Setting`."""
    extra: Any = {"setting": Setting(help, more, **words)}
    return Field(default=default, json_schema_extra=extra)


@dataclass(frozen=True)
class Declared:
    """A setting together with its name, type and default."""

    name: str
    setting: Setting
    default: object
    kind: Kind
    info: FieldInfo

    @property
    def choices(self) -> tuple[str, ...]:
        """The names that it takes now: a registry may grow."""
        return tuple(_choices(self.info.annotation, self.info.metadata))

    @property
    def option(self) -> str:
        """The option of the command line, such as `--batch-size`."""
        return f"--{(self.setting.option or self.name).replace('_', '-')}"

    @property
    def help(self) -> str:
        """What the command line says, with what happens by default."""
        said = self.setting.otherwise
        if not said and self.default not in (None, (), {}) and not isinstance(self.default, bool):
            said = "" if str(self.default) in self.setting.help else str(self.default)
        return f"{self.setting.help} Default: {said}." if said and self.name != "data" else self.setting.help

    @property
    def meaning(self) -> str:
        """What the reference says."""
        choices = ", ".join(f'"{choice}"' for choice in self.choices if self.kind == "text")
        return " ".join(filter(None, (self.setting.help, choices and f"One of {choices}.", self.setting.more)))

    @property
    def values(self) -> str:
        """What a value looks like in a file, for the docs."""
        choices = ", ".join(f"`{choice}`" for choice in self.choices)
        if self.setting.form:
            return f"{self.setting.form}: {choices}" if self.kind == "names" and choices else self.setting.form
        if self.kind == "switch":
            return "`true`, `false`"
        return choices or (self.kind if self.kind == "text" else f"a {self.kind}")


@cache
def declared(model: type[BaseModel]) -> dict[str, Declared]:
    """The settings that the fields of a model declare, by name and in order."""
    found: dict[str, Declared] = {}
    for name, info in model.model_fields.items():
        extra: Any = info.json_schema_extra
        *_, last = _alternatives(info.annotation, info.metadata)
        default = info.get_default(call_default_factory=True)
        found[name] = Declared(name, extra["setting"], default, _kind(*last), info)
    return found


def reference(texts: dict[str, str], indent: int = 4) -> str:
    """Names and what they mean as the lines of an `Args:` section, without the first indentation.

    Example:
        >>> print(reference({"seed": "Random seed.", "out": "The run folder."}, indent=0))
        seed: Random seed.
            out: The run folder.
    """
    wrapped = [
        textwrap.fill(f"{name}: {text}", 116 - indent, subsequent_indent="    ", break_on_hyphens=False)
        for name, text in texts.items()
    ]
    return textwrap.indent("\n".join(wrapped), " " * (indent + 4)).lstrip()


def _alternatives(annotation: object, metadata: list[object]) -> Iterator[tuple[object, list[object]]]:
    """The types of a union with their metadata."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _alternatives(parts[0], [*metadata, *parts[1:]])
    elif origin in (Union, UnionType):
        for part in parts:
            yield from _alternatives(part, metadata)
    elif annotation is not NoneType:
        yield annotation, metadata


def _kind(annotation: object, metadata: list[object]) -> Kind:
    if annotation is bool:
        return "switch"
    if (annotation is int or annotation is float) and not any(isinstance(entry, BeforeValidator) for entry in metadata):
        return "whole number" if annotation is int else "number"
    origin = get_origin(annotation)
    if origin is dict:
        return "weights" if float in _types(get_args(annotation)[1]) else "sets"
    if origin is tuple:
        return "widths" if int in _types(get_args(annotation)[0]) else "names"
    return "text"


def _types(annotation: object) -> list[object]:
    return [part for part, _ in _alternatives(annotation, [])]


def _choices(annotation: object, metadata: list[object]) -> Iterator[str]:
    """The names that a field takes, however deep in its type."""
    for part, entries in _alternatives(annotation, metadata):
        yield from (name for entry in entries if isinstance(entry, OneOf) for name in entry.names)
        if get_origin(part) is Literal:
            yield from get_args(part)
        elif get_origin(part) is tuple:
            yield from _choices(get_args(part)[0], [])
