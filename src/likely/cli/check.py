"""`likely check`: whether data can be learned from, and which of its labels are probably wrong."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from likely.cli.options import data_argument, only_given, option
from likely.cli.terminal import aligned, console, printable, styled

if TYPE_CHECKING:
    from pathlib import Path

    from rich.text import Text

    from likely.cli.progress import LiveWatcher, PlainWatcher
    from likely.config import RunConfig
    from likely.data.check import Checked
    from likely.data.dataset import Dataset
    from likely.training.label_check import LabelCheck

_LABELS, _TABLES, _SHOWN = "Labels", "Tables", 20
PAGE, CORRECTIONS, CHECK_PAGE = "labels.html", "corrections.csv", "check.html"


def check(
    data: Annotated[str, data_argument()],
    labels: Annotated[
        bool,
        typer.Option("--labels", help="Find labels that are probably wrong; trains a network per fold."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What was found as JSON.")] = False,
    data_folder: Annotated[str | None, option("data_folder")] = None,
    label: Annotated[str | None, option("label", default="label, target, class or y")] = None,
    image: Annotated[str | None, option("image", default="the one that holds images")] = None,
    task: Annotated[str | None, option("task")] = None,
    skip_bad: Annotated[
        bool | None,
        typer.Option("--skip-bad", help="Images that can't be read are no error.", show_default=False),
    ] = None,
    ignore: Annotated[str | None, option("ignore", panel=_TABLES)] = None,
    categories: Annotated[str | None, option("categories", panel=_TABLES)] = None,
    numbers: Annotated[str | None, option("numbers", panel=_TABLES)] = None,
    keep: Annotated[str | None, option("keep", panel=_TABLES)] = None,
    missing: Annotated[str | None, option("missing", panel=_TABLES)] = None,
    decimal: Annotated[str | None, option("decimal", panel=_TABLES)] = None,
    encoding: Annotated[str | None, option("encoding", panel=_TABLES)] = None,
    header: Annotated[bool | None, option("header", panel=_TABLES)] = None,
    folds: Annotated[
        int,
        typer.Option(
            min=2, help="Number of networks to train, each without one fold of the rows.", rich_help_panel=_LABELS
        ),
    ] = 5,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help=f"Where to write {CHECK_PAGE}; with --labels {PAGE}, and {CORRECTIONS} for fit."
        ),
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help=f"Fill {CORRECTIONS} with the suggested labels, not the given ones.",
            rich_help_panel=_LABELS,
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace these files in --out.")] = False,
    most: Annotated[
        int | None,
        typer.Option(min=1, help="List at most this many rows. Default: all doubtful ones.", rich_help_panel=_LABELS),
    ] = None,
    preset: Annotated[
        str | None, option("preset", help="How large each network is.", default="fast", panel=_LABELS)
    ] = None,
    network: Annotated[str | None, option("network", help="What is trained.", default="auto", panel=_LABELS)] = None,
    epochs: Annotated[
        float | None, option("epochs", help="Passes over the rows for each network.", panel=_LABELS)
    ] = None,
    image_size: Annotated[
        int | None,
        option("image_size", help="Resize images in files, as fit will."),
    ] = None,
    group_by_folder: Annotated[bool | None, option("group_by_folder")] = None,
    seed: Annotated[int | None, option("seed", panel=_LABELS)] = None,
    device: Annotated[str | None, option("device", panel=_LABELS)] = None,
) -> None:
    """Check DATA before training: files, copies, classes, sizes; with --labels, wrong labels.

    Exits with 0 if likely fit would accept the data, else with 1.
    """
    import json

    from likely.cli.progress import watch
    from likely.config import RunConfig
    from likely.data.sources import open_configured

    if not labels and accept:
        raise typer.BadParameter("It needs --labels.", param_hint="--accept")
    given = {"preset": preset, "network": network, "epochs": epochs, "image_size": image_size, "seed": seed}
    given |= {"ignore": ignore, "categories": categories, "numbers": numbers, "keep": keep, "missing": missing}
    given |= {"group_by_folder": group_by_folder, "decimal": decimal, "encoding": encoding, "header": header}
    given |= {"device": device, "task": task, "label": label, "image": image, "skip_bad": skip_bad}
    config = RunConfig(data=data, data_folder=data_folder, **only_given(given))
    folder = None
    if out is not None:
        folder = _checked_folder(out, overwrite, (CORRECTIONS, PAGE) if labels else (CHECK_PAGE,))
    if not labels:
        _check_data(config, folder, as_json)
        return
    with watch() as watcher:
        # Not `open_data`: a test part drawn from the rows would change their numbers with the seed.
        dataset = open_configured(config, watcher.loading)
        found = _found(dataset, config, folds, most, watcher)
    if folder is not None:
        _write(found, folder, accept)
    if as_json:
        typer.echo(json.dumps(_issues(found), allow_nan=False))
        return
    screen = console()
    n, doubted = len(dataset.train), len(found.issues)
    screen.print(
        styled(
            (f"{doubted:,} of {n:,} labels are doubtful according to networks that were not trained on them", "bold")
        )
    )
    if doubted:
        screen.print(_issues_table(found))
    if doubted > _SHOWN:
        screen.print(styled((f"  ... and {doubted - _SHOWN:,} more", "dim")))
    if folder is None:
        screen.print("\nTry     --out FOLDER for a page with all of them and a corrections file for likely fit")
    else:
        screen.print(f"\nPage         {printable(folder / PAGE)}")
        screen.print(f"Corrections  {printable(folder / CORRECTIONS)}: edit its column label")
        screen.print(
            f"Then         {printable(shlex.join(['likely', 'fit', data, '--corrections', str(folder / CORRECTIONS)]))}"
        )


def _check_data(config: "RunConfig", folder: "Path | None", as_json: bool) -> None:
    """Print what is wrong with the data, write the page, and exit with 1 if fit would refuse them."""
    import json

    from likely.cli.check_findings import print_checked
    from likely.cli.progress import watch
    from likely.data.check import check_source

    with watch() as watcher:
        checked = check_source(config, watcher.loading)
    if folder is not None:
        from likely.report.check_page import write_check_page

        write_check_page(folder / CHECK_PAGE, checked)
    if as_json:
        typer.echo(json.dumps(checked.to_json(), allow_nan=False))
    else:
        print_checked(checked)
        _say_what_next(checked, folder)
    if not checked.findings.fit_would_work:
        raise typer.Exit(1)


def _say_what_next(checked: "Checked", folder: "Path | None") -> None:
    screen = console()
    if folder is not None:
        screen.print(f"\nPage    {printable(folder / CHECK_PAGE)}")
    elif checked.findings:
        screen.print("\nTry     --out FOLDER for a page with everything, or --json")
    if checked.findings.fit_would_work and checked.dataset is not None and checked.dataset.labels:
        screen.print(f"{'' if checked.findings else chr(10)}Try     --labels to find labels that are probably wrong")


def _found(
    dataset: "Dataset", config: "RunConfig", folds: int, most: int | None, watcher: "LiveWatcher | PlainWatcher"
) -> "LabelCheck":
    from likely.training.label_check import check_labels

    watcher.say(f"{dataset.name}: {len(dataset.train):,} training rows, from {dataset.found_at}")
    found = check_labels(dataset, config, folds=folds, watcher=watcher)
    return found if most is None else found.first(most)


def _checked_folder(out: str, overwrite: bool, files: tuple[str, ...]) -> "Path":
    """The folder, made, once it is seen to hold none of these files: hours of training or editing must not be lost."""
    from pathlib import Path

    from likely.errors import OutputError

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


def _write(found: "LabelCheck", folder: "Path", accept: bool) -> None:
    from likely.data.corrections import write_corrections
    from likely.report.label_page import write_label_page

    write_corrections(folder / CORRECTIONS, found.dataset, found.corrections(accept=accept))
    write_label_page(folder / PAGE, found)


def _issues(found: "LabelCheck") -> list[dict[str, object]]:
    column, doubts = found.column, found.doubts()
    return [
        {
            column: doubt.row if column == "row" else doubt.name,
            "given": doubt.given,
            "suggested": doubt.suggested,
            "p_given": doubt.p_given,
            "p_suggested": doubt.p_suggested,
            "score": doubt.score,
        }
        for doubt in doubts
    ]


def _issues_table(found: "LabelCheck") -> "Text":
    from likely.metrics.numerals import percent

    rows = [[found.column, "given", "suggested", "P(given)", "P(suggested)"]]
    rows += [
        [
            printable(doubt.name),
            printable(doubt.given),
            printable(doubt.suggested),
            percent(doubt.p_given, 2),
            percent(doubt.p_suggested, 2),
        ]
        for doubt in found.doubts(_SHOWN)
    ]
    return aligned(rows)
