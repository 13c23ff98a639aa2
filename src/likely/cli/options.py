"""Options that are settings of a run: their words, types and choices come from the fields of `RunConfig`."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

import typer

from likely import config
from likely.cli.questions import read_events, read_numbers
from likely.config.registry import DATA_SETS
from likely.config.setting import Declared, declared
from likely.errors import nearest

_TYPES: dict[str, Any] = {"switch": bool, "whole number": int, "number": float, "sets": list[str]}

Command = TypeVar("Command", bound=Callable[..., None])


def settings() -> dict[str, Declared]:
    """All settings by name, as `RunConfig` declares them."""
    return declared(config.RunConfig)


def with_settings(command: Command) -> Command:
    """The command with an option for each setting, in their order; it gets those by name, None where not given."""
    options = {
        name: data_argument() if name == "data" else option(name, panel=setting.setting.panel)
        for name, setting in settings().items()
    }
    return _with_options(command, options)


def with_reading(command: Command) -> Command:
    """The command with the options that say how the data of a model are read, and the device; see `with_settings`."""
    options = {name: option(name, default="as in training") for name in ("label", "image")}
    others = (
        "group",
        "group_by_folder",
        "missing",
        "decimal",
        "encoding",
        "header",
        "data_folder",
        "skip_bad",
        "device",
    )
    return _with_options(command, options | {name: option(name) for name in others})


def only_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value not in (None, [])}


def _with_options(command: Command, options: Mapping[str, Any]) -> Command:
    taken = [p for p in inspect.signature(command).parameters.values() if p.kind is not p.VAR_KEYWORD]
    for name, asked in options.items():
        kind = Annotated[_TYPES.get(settings()[name].kind, str) | None, asked]
        taken.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    command.__signature__ = inspect.Signature(taken)  # pyright: ignore[reportFunctionMemberAccess]  # typer asks for it
    return command


def option(name: str, *, help: str | None = None, default: str | None = None, panel: str | None = None) -> Any:
    """The option of a setting.

    Args:
        name: of the setting.
        help: what to say in place of the setting's own words.
        default: what happens without the option, where it is not what `RunConfig` says.
        panel: the group of options in which it stands.
    """
    setting = settings()[name]
    flags = f"{setting.option}/--no-{setting.option[2:]}" if setting.kind == "switch" else setting.option
    words = setting.help
    if help is not None or default is not None:
        words = f"{help or setting.setting.help}{f' Default: {default}.' if default else ''}"
    return _option(
        flags,
        lambda: settings()[name].choices if setting.kind == "text" else (),
        # The configuration explains why Heaviside cannot be trained with.
        passed_on=("heaviside",) if name == "activation" else (),
        help=words,
        metavar=setting.setting.metavar,
        rich_help_panel=panel,
    )


def part_option(purpose: str) -> Any:
    """The --part option."""
    help = f"Which rows to {purpose} on. Default: test, or all rows if there is no test part."
    return _option("--part", lambda: ("test", "train"), help=help)


def data_argument(**more: Any) -> Any:
    """The DATA argument: a name, or a path."""
    setting = settings()["data"].setting
    complete = _starting_with(lambda: DATA_SETS)
    return typer.Argument(
        metavar=setting.metavar, help=setting.help, autocompletion=complete, show_default=False, **more
    )


def model_argument(help: str = "A model.likely, or the run folder that holds it.") -> Any:
    """The MODEL argument."""
    return typer.Argument(metavar="MODEL", help=help, show_default=False)


def read_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of options as `RunConfig` takes them.

    Raises:
        typer.BadParameter: if the text of an option is not what it should be.
    """
    return {name: _read(settings()[name], value) for name, value in given.items()}


def _read(setting: Declared, value: Any) -> Any:
    if setting.kind == "sets":
        return read_events(value)
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
    passed_on: tuple[str, ...] = (),
    *,
    metavar: Any = None,
    **how: Any,
) -> Any:
    """An option; where there are choices, anything else is wrong usage, with the nearest choice."""

    def check(value: Any) -> Any:
        known = tuple(choices())
        if value is None or not known or value in known or value in passed_on:
            return value
        hint = nearest(value, known)
        listed = f"{hint} " if hint.startswith("Did") else ""
        raise typer.BadParameter(f"{value!r} does not exist. {listed}Choose from {', '.join(known)}.")

    return typer.Option(
        flags,
        metavar=metavar or "|".join(choices()) or None,
        callback=check,
        autocompletion=_starting_with(choices),
        show_default=False,
        **how,
    )


def _starting_with(choices: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices() if choice.startswith(incomplete)]

    return complete
