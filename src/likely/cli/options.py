"""What the commands' options have in common: lists of choices, their completion and their checks.

The choices stand here a second time because the configuration's own types need pydantic, which completion and
`--help` should not wait for; a test holds the two together.
"""

from collections.abc import Callable
from typing import Any

import typer

from likely.errors import nearest

CHOICES: dict[str, tuple[str, ...]] = {
    "task": ("auto", "classification", "regression"),
    "preset": ("fast", "balanced", "best"),
    "network": ("auto", "conv", "mlp", "linear"),
    "activation": ("sigmoid", "relu", "tanh", "gelu"),
    "engine": ("auto", "numpy", "jax", "torch"),
    "head": ("softmax", "l1"),
    "loss": ("cross_entropy", "squared_error"),
    "optimizer": ("sgd", "adam"),
    "device": ("auto", "cpu", "cuda"),
    "dtype": ("float32", "float64"),
    "precision": ("auto", "float32", "bfloat16"),
    "init_keep": ("all", "parameters"),
    "part": ("test", "train"),
}
DATA_SETS = ("fashion-mnist", "digits", "wine", "iris", "breast-cancer", "diabetes")


def choice(name: str, help: str, panel: str | None = None) -> Any:
    """An option that takes one of `CHOICES[name]`; anything else is wrong usage, with the nearest choice."""
    choices = CHOICES[name]

    def check(value: str | None) -> str | None:
        # The configuration explains why Heaviside cannot be trained with.
        if value is None or value in choices or (name, value) == ("activation", "heaviside"):
            return value
        hint = nearest(value, choices)
        listed = f"{hint} " if hint.startswith("Did") else ""
        raise typer.BadParameter(f"{value!r} does not exist. {listed}Choose from {', '.join(choices)}.")

    return typer.Option(
        f"--{name.replace('_', '-')}",
        help=help,
        metavar="|".join(choices),
        callback=check,
        autocompletion=_starting_with(choices),
        rich_help_panel=panel,
        show_default=False,
    )


def data_argument(**settings: Any) -> Any:
    """The DATA argument: a name, or a path."""
    return typer.Argument(
        metavar="DATA",
        help="A data set's name (digits, fashion-mnist, ...), a folder of class folders or IDX files, a table, .npz.",
        autocompletion=_starting_with(DATA_SETS),
        show_default=False,
        **settings,
    )


def model_argument(help: str = "A model.likely, or the run folder that holds it.") -> Any:
    """The MODEL argument."""
    return typer.Argument(metavar="MODEL", help=help, show_default=False)


def skip_bad_option() -> Any:
    """The --skip-bad option."""
    return typer.Option("--skip-bad/--no-skip-bad", help="Leave out images that can't be read.", show_default=False)


def data_option(panel: str | None = None) -> Any:
    """The --data option."""
    return typer.Option(
        "--data",
        metavar="FOLDER",
        help="Where the files of a named data set lie (also LIKELY_DATA).",
        rich_help_panel=panel,
        show_default=False,
    )


def label_option(default: str) -> Any:
    """The --label option, with what stands in its place."""
    return typer.Option(
        "--label", metavar="COLUMN", help=f"Of a table: the answers. Default: {default}.", show_default=False
    )


def image_option(default: str) -> Any:
    """The --image option, with what stands in its place."""
    return typer.Option(
        "--image",
        metavar="COLUMN",
        help=f"Of a table: paths or bytes of images. Default: {default}.",
        show_default=False,
    )


def group_option() -> Any:
    """The --group option."""
    return typer.Option(
        "--group",
        metavar="COLUMN",
        help="Of a table: rows of one value are related; they are drawn together and count once.",
        show_default=False,
    )


def group_by_folder_option() -> Any:
    """The --group-by-folder option."""
    return typer.Option(
        "--group-by-folder/--no-group-by-folder",
        help="Images in one folder below that of their class are related, as with --group.",
        show_default=False,
    )


def _starting_with(choices: tuple[str, ...]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete
