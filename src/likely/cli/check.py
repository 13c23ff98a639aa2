"""`likely check`: whether data can be learned from, and which of its labels are probably wrong."""

from pathlib import Path
from typing import Annotated

import typer

from likely.cli.options import configured, option
from likely.cli.terminal import print_json
from likely.config import RunConfig
from likely.errors import OutputError

_LABELS, _TABLES = "Labels", "Tables"
PAGE, CORRECTIONS, CHECK_PAGE = "labels.html", "corrections.csv", "check.html"
_OPTIONS = {
    "data_folder": option("data_folder"),
    "label": option("label", default="label, target, class or y"),
    "image": option("image", default="the one that holds images"),
    "task": option("task"),
    "skip_bad": option("skip_bad"),
    "image_size": option("image_size", help="Resize images in files, as fit will."),
    "group_by_folder": option("group_by_folder"),
    **{
        name: option(name, panel=_TABLES)
        for name in ("ignore", "categories", "numbers", "keep", "missing", "decimal", "encoding", "header")
    },
    "preset": option("preset", help="How large each network is.", default="fast", panel=_LABELS),
    "network": option("network", help="What is trained.", default="auto", panel=_LABELS),
    "epochs": option("epochs", help="Passes over the rows for each network.", panel=_LABELS),
    "seed": option("seed", panel=_LABELS),
    "device": option("device", panel=_LABELS),
}


@configured(_OPTIONS)
def check(
    asked: RunConfig,
    labels: Annotated[
        bool, typer.Option("--labels", help="Find labels that are probably wrong; trains a network per fold.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What was found as JSON.")] = False,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help=f"Where to write {CHECK_PAGE}; with --labels {PAGE}, and {CORRECTIONS} for fit."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace these files in --out.")] = False,
    folds: Annotated[
        int,
        typer.Option(
            min=2, help="Number of networks to train, each without one fold of the rows.", rich_help_panel=_LABELS
        ),
    ] = 5,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help=f"Fill {CORRECTIONS} with the suggested labels, not the given ones.",
            rich_help_panel=_LABELS,
        ),
    ] = False,
    most: Annotated[
        int | None,
        typer.Option(min=1, help="List at most this many rows. Default: all doubtful ones.", rich_help_panel=_LABELS),
    ] = None,
) -> None:
    """Check DATA before training: files, copies, classes, sizes; with --labels, wrong labels.

    Exits with 0 if likely fit would accept the data, else with 1.
    """
    from likely.atomic import write_text
    from likely.cli.check_findings import print_checked
    from likely.cli.doubtful_labels import issues_to_json, print_issues
    from likely.cli.progress import watch
    from likely.data.check import check_source
    from likely.data.corrections import write_corrections
    from likely.data.sources import open_configured
    from likely.report.check_page import render_check_page
    from likely.report.label_page import render_label_page
    from likely.training.label_check import check_labels

    if not labels and accept:
        raise typer.BadParameter("It needs --labels.", param_hint="--accept")
    folder = None if out is None else _new_folder(out, overwrite, (CORRECTIONS, PAGE) if labels else (CHECK_PAGE,))
    if labels:
        with watch() as watcher:
            # Not `open_data`: a test part drawn from the rows would change their numbers with the seed.
            dataset = open_configured(asked, watcher.loading)
            watcher.say(f"{dataset.name}: {len(dataset.train):,} training rows, from {dataset.found_at}")
            found = check_labels(dataset, asked, folds=folds, watcher=watcher)
        if most is not None:
            found = found.first(most)
        if folder is not None:
            write_corrections(folder / CORRECTIONS, dataset, found.corrections(accept=accept))
            write_text(folder / PAGE, render_label_page(found))
        if as_json:
            print_json(issues_to_json(found))
        else:
            print_issues(found, asked.data, None if folder is None else (folder / PAGE, folder / CORRECTIONS))
        return
    with watch() as watcher:
        checked = check_source(asked, watcher.loading)
    if folder is not None:
        write_text(folder / CHECK_PAGE, render_check_page(checked))
    if as_json:
        print_json(checked.to_json())
    else:
        print_checked(checked, None if folder is None else folder / CHECK_PAGE)
    if not checked.findings.fit_would_work:
        raise typer.Exit(1)


def _new_folder(out: str, overwrite: bool, files: tuple[str, ...]) -> Path:
    """The folder, once it holds none of these files: hours of training or editing must not be lost."""
    folder = Path(out)
    taken = [name for name in files if (folder / name).exists()]
    if taken and not overwrite:
        raise OutputError(
            f"--out must be a new folder; {folder} already holds {' and '.join(taken)}, which may have been edited. "
            "Try another --out, or --overwrite to replace them."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--out must be a folder that can be written; {folder} is not: {error.strerror}.") from None
    return folder
