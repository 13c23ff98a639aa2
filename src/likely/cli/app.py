"""The commands, put together."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from likely import __version__
from likely.cli.bench import bench
from likely.cli.calibrate import calibrate
from likely.cli.check import check
from likely.cli.compare import compare
from likely.cli.evaluate import evaluate
from likely.cli.failures import failures_explained
from likely.cli.fit import fit
from likely.cli.inspect import inspect
from likely.cli.predict import predict
from likely.cli.report import report


class Commands(TyperGroup):
    """The group of all commands: the one place where exceptions become messages and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        with failures_explained():
            return super().invoke(ctx)


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
    """Learn P(label | image) from labelled images, and answer new ones with calibrated probabilities."""


for command in (fit, predict, evaluate, compare, check, calibrate, inspect, report, bench):
    app.command()(command)
