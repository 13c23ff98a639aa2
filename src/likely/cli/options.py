"""Options that are settings of a run: their words, types and choices come from the fields of `RunConfig`."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar, cast

import typer
from typer.models import ArgumentInfo, OptionInfo

from likely import config
from likely.cli.questions import read_events, read_numbers
from likely.config.registry import DATA_SETS, FROM_FOLDER
from likely.config.setting import Declared, declared
from likely.config.value_types import OTHER_NETWORKS
from likely.errors import nearest

_TYPES: dict[str, Any] = {"switch": bool, "whole number": int, "number": float, "sets": list[str]}

Command = TypeVar("Command", bound=Callable[..., None])
Value: TypeAlias = str | int | float | bool | list[str] | None
"""What the command line makes of an option."""


def settings() -> dict[str, Declared]:
    """All settings by name, as `RunConfig` declares them."""
    return declared(config.RunConfig)


def with_settings(command: Command) -> Command:
    """The command with an option for each setting, in their order; it gets those by name, None where not given."""
    own = [p for p in inspect.signature(command).parameters.values() if p.kind is not p.VAR_KEYWORD]
    options = {name: option(name, panel=setting.setting.panel) for name, setting in settings().items()}
    return _with_signature(command, [*own, *_parameters(options | {"data": data_argument()})])


def configured(options: Mapping[str, OptionInfo], *, data: bool = True) -> Callable[[Command], Command]:
    """A decorator: the command has these options of settings, and gets the RunConfig that they make as `asked`.

    With `data` the argument DATA takes the place of `asked`.
    """

    def decorate(command: Command) -> Command:
        path = inspect.Parameter("data", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[str, data_argument()])
        own = [path if p.name == "asked" else p for p in inspect.signature(command).parameters.values()]
        parameters = [*(p for p in own if data or p is not path), *_parameters(options)]

        @functools.wraps(command)
        def run(**values: Value) -> None:
            given = only_given({name: values.pop(name) for name in ("data", *options) if name in values})
            command(**values, asked=config.RunConfig.from_json(given))

        return cast(Command, _with_signature(run, parameters))

    return decorate


def reading_options() -> dict[str, OptionInfo]:
    """The options that say how the data of a model are read, and the device."""
    read = ["group", "group_by_folder", "missing", "decimal", "encoding", "header", "data_folder", "skip_bad", "device"]
    as_in_training = {name: option(name, default="as in training") for name in ("label", "image")}
    return as_in_training | {name: option(name) for name in read}


def only_given(options: Mapping[str, Value]) -> dict[str, Value]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value not in (None, [])}


def _parameters(options: Mapping[str, OptionInfo | ArgumentInfo]) -> list[inspect.Parameter]:
    types = {name: Annotated[_TYPES.get(settings()[name].kind, str) | None, asked] for name, asked in options.items()}
    only = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, only, default=None, annotation=kind) for name, kind in types.items()]


def _with_signature(command: Command, parameters: Iterable[inspect.Parameter]) -> Command:
    ordered = [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
    command.__signature__ = inspect.Signature(ordered)  # pyright: ignore[reportFunctionMemberAccess]  # typer asks for it
    return command


_NO_CHOICE = re.compile(f"{FROM_FOLDER}|{OTHER_NETWORKS.pattern}")


def option(name: str, *, help: str | None = None, default: str | None = None, panel: str | None = None) -> OptionInfo:
    """The option of a setting; `help`, and what happens by `default`, replace its own words."""
    setting = settings()[name]
    flags = f"{setting.option}/--no-{setting.option[2:]}" if setting.kind == "switch" else setting.option
    words = setting.help
    if help is not None or default is not None:
        words = f"{help or setting.setting.help}{f' Default: {default}.' if default else ''}"
    return _option(
        flags,
        lambda: settings()[name].choices if setting.kind == "text" else (),
        words,
        # The configuration explains why Heaviside cannot be trained with, and timm's networks not be had.
        passed_on={"activation": re.compile("heaviside"), "network": _NO_CHOICE}.get(name),
        metavar=setting.setting.metavar,
        panel=panel,
    )


def part_option(purpose: str) -> OptionInfo:
    """The --part option."""
    help = f"Which rows to {purpose} on. Default: test, or all rows if there is no test part."
    return _option("--part", lambda: ("test", "train"), help)


def data_argument() -> ArgumentInfo:
    """The DATA argument: a name, or a path."""
    setting, complete = settings()["data"].setting, _starting_with(lambda: DATA_SETS)
    return typer.Argument(metavar=setting.metavar, help=setting.help, autocompletion=complete)


def model_argument(help: str = "A model.likely, or the run folder that holds it.") -> ArgumentInfo:
    """The MODEL argument."""
    return typer.Argument(metavar="MODEL", help=help)


def read_settings(given: Mapping[str, Value]) -> dict[str, object]:
    """The values of options as `RunConfig` takes them; a BadParameter if a text is not what it should be."""
    return {name: _read(settings()[name], value) for name, value in given.items()}


def _read(setting: Declared, value: Value) -> object:
    if isinstance(value, list):
        return read_events(value)
    if not isinstance(value, str):
        return value
    if setting.kind == "weights" and value not in setting.choices:
        return read_numbers(value, setting.option)
    if setting.kind == "widths":
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            raise typer.BadParameter(
                f"{value!r} is not a list of whole numbers, such as 256 or 512,256.", param_hint=setting.option
            ) from None
    return value


def _option(
    flags: str,
    choices: Callable[[], Iterable[str]],
    help: str,
    *,
    passed_on: re.Pattern[str] | None = None,
    metavar: str | None = None,
    panel: str | None = None,
) -> OptionInfo:
    """An option; where there are choices, anything else is wrong usage, with the nearest choice."""

    def check(value: Value) -> Value:
        known = tuple(choices())
        passed = passed_on is not None and isinstance(value, str) and passed_on.match(value)
        if value is None or not known or value in known or passed:
            return value
        hint = nearest(value, known)
        listed = f"{hint} " if hint.startswith("Did") else ""
        raise typer.BadParameter(f"{value!r} does not exist. {listed}Choose from {', '.join(known)}.")

    return typer.Option(
        flags,
        help=help,
        metavar=metavar or "|".join(choices()) or None,
        callback=check,
        autocompletion=_starting_with(choices),
        rich_help_panel=panel,
    )


def _starting_with(choices: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    return lambda incomplete: [choice for choice in choices() if choice.startswith(incomplete)]
