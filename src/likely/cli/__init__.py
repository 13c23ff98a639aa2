"""The command line: `likely fit`, `predict`, `evaluate`, `compare`, `calibrate`, `check`, `inspect`, `report`, `bench`.

Results go to standard output, progress and messages to standard error. Exit code 0: done, 1: a clear error, 2: wrong
usage, 130: interrupted. Modules here import what is heavy inside functions, so that `likely --help` answers at once.
"""


def main() -> None:
    """Run the command line in `sys.argv` and exit."""
    from likely.cli.app import app

    app(prog_name="likely")
