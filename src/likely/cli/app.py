"""The commands, put together; each is imported when it is asked for."""

import importlib
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from likely import __version__
from likely.cli.failures import failures_explained
from likely.errors import RenamedWarning

COMMANDS = {
    "fit": "Learn from DATA; write model.likely, report.html and the figures to a run folder.",
    "predict": "Answer each IMAGE, or each row of a TABLE, with P(label | image).",
    "evaluate": "Evaluate MODEL on DATA: accuracy, NLL, Brier score and ECE with 95% intervals, and every class.",
    "compare": "Evaluate two models on the same rows of DATA: both figures, and their difference with a 95% interval.",
    "check": "Check DATA before training: files, copies, classes, sizes; with --labels, wrong labels.",
    "calibrate": "Redo calibration, sets, error bounds and familiarity of MODEL from the labeled rows of DATA.",
    "export": "Write MODEL, with all that it answers, to one ONNX file, or to a page for the browser.",
    "inspect": "Print what MODEL is and how it was made, without loading its weights.",
    "report": "Write report.html of RUN again, from its model, its history and its data.",
    "bench": "Measure this machine: its speed, how long each preset should take, and a short run of `fast`.",
}
"""What `likely --help` says of each command; `likely.cli.NAME` holds it."""


class Commands(TyperGroup):
    """The group of all commands: the one place where exceptions become messages and exit codes."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the words of the command line; `--help` and `--version` print here."""
        with failures_explained():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> object:
        """Run the command that was asked for."""
        with failures_explained():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was asked for, imported now."""
        if args and args[0] in COMMANDS:
            importlib.import_module("likely.config.address_space").require_address_space()
            self.add_command(command(args[0]))
        return super().resolve_command(ctx, [present_option(word) for word in args])


def present_option(word: str) -> str:
    """`--image` for its old name, with a RenamedWarning; any other word of the command line, as it is."""
    option, equals, value = word.partition("=")
    if option != "--picture":  # deprecated
        return word
    warnings.warn(f"{option} is deprecated; use --image.", RenamedWarning, stacklevel=2)
    return f"--image{equals}{value}"


def command(name: str) -> Any:
    """A command with its options."""
    alone = typer.Typer(add_completion=False)
    alone.command(name)(getattr(importlib.import_module(f"likely.cli.{name}"), name))
    return typer.main.get_command(alone)


def show_version(asked: bool) -> None:
    """Print the version and exit, if asked."""
    if asked:
        typer.echo(f"likely {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="likely",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def likely(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Learn P(label | image) from labeled images, and answer new ones with calibrated probabilities."""


for name, summary in COMMANDS.items():
    app.command(name, help=summary)(lambda: None)
