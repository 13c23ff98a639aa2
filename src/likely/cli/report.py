"""`likely report`: write the report of a run again."""

from typing import Annotated

import typer


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run folder that fit wrote.", show_default=False)],
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why of every test row that is shown, not of six at most.")
    ] = False,
) -> None:
    """Write report.html of RUN again, from its model, its history and its data."""
    from likely.cli.progress import watch
    from likely.cli.terminal import printable
    from likely.report.run_report import report_folder

    with watch() as watcher:
        path = report_folder(run, watcher, explain=explain)
    typer.echo(printable(path))
