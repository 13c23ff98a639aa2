"""`likely fit`: learn from data, and write a run folder."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likely.cli.options import (
    choice,
    data_argument,
    data_option,
    group_by_folder_option,
    group_option,
    image_option,
    label_option,
    skip_bad_option,
)
from likely.cli.questions import read_events, read_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from likely.config import RunConfig
    from likely.training.fit import Run

_LEARNING, _NETWORK, _OUTPUT = "Learning", "Network", "Output"


def fit(
    data: Annotated[str | None, data_argument()] = None,
    config: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A .toml or .json with these settings; options given here win."),
    ] = None,
    data_folder: Annotated[str | None, data_option()] = None,
    label: Annotated[str | None, label_option("label, target, class or y")] = None,
    image: Annotated[str | None, image_option("the one that holds images")] = None,
    group: Annotated[str | None, group_option()] = None,
    group_by_folder: Annotated[bool | None, group_by_folder_option()] = None,
    skip_bad: Annotated[bool | None, skip_bad_option()] = None,
    corrections: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Corrected labels, as in the corrections.csv of likely check."),
    ] = None,
    test_last: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Of a table: judge on the latest rows by this column of numbers or dates, not on random ones.",
        ),
    ] = None,
    task: Annotated[str | None, choice("task", "What the answers are; auto asks the data.")] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="The run folder. Default: the first free runs/DATA-N.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    overwrite: Annotated[
        bool | None,
        typer.Option(
            "--overwrite/--no-overwrite",
            help="Replace the files of an earlier run in --out.",
            rich_help_panel=_OUTPUT,
            show_default=False,
        ),
    ] = None,
    preset: Annotated[
        str | None, choice("preset", "How long to train and how large the network is. Default: fast.", _LEARNING)
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the training rows; may be a fraction.", rich_help_panel=_LEARNING)
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Train and calibrate this long at most, within 10% and 3 s, with a net that suits: 30s, 2m, 1h. "
            "Starting, reading, test figures and the report are not counted.",
            rich_help_panel=_LEARNING,
        ),
    ] = None,
    early_stopping: Annotated[
        bool | None,
        typer.Option(
            "--early-stopping/--no-early-stopping",
            help="Stop when a held-out loss no longer falls.",
            rich_help_panel=_LEARNING,
            show_default=False,
        ),
    ] = None,
    class_weight: Annotated[
        str | None,
        typer.Option(
            metavar="balanced|LABEL=W,...",
            help="How much rows of a label count in training; probabilities are corrected for it.",
            rich_help_panel=_LEARNING,
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LABEL,...",
            help="Keep this set of labels in the model and answer it, too; may be repeated.",
            rich_help_panel=_OUTPUT,
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The largest one of the schedule.", rich_help_panel=_LEARNING)
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows per step.", rich_help_panel=_LEARNING)] = None,
    optimizer: Annotated[str | None, choice("optimizer", "The update rule.", _LEARNING)] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Change training images: hflip, shift, cutout; or none. Default: what the data declare harmless.",
            rich_help_panel=_LEARNING,
        ),
    ] = None,
    init_from: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Begin with the parameters of a model.likely or a safetensors file.",
            rich_help_panel=_LEARNING,
        ),
    ] = None,
    init_keep: Annotated[
        str | None,
        choice("init_keep", "What else of that model is kept: all, its labels and standardization, too.", _LEARNING),
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN,...",
            help="Names of parameters that do not learn, such as blocks.0.*",
            rich_help_panel=_LEARNING,
        ),
    ] = None,
    loss: Annotated[str | None, choice("loss", "What training lowers. Default: cross_entropy.", _LEARNING)] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of everything that is drawn. Default: 0.", rich_help_panel=_LEARNING)
    ] = None,
    network: Annotated[
        str | None, choice("network", "auto: conv for images, mlp for rows of numbers.", _NETWORK)
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTHS", help="Hidden layers of the mlp, such as 256 or 512,256.", rich_help_panel=_NETWORK
        ),
    ] = None,
    activation: Annotated[str | None, choice("activation", "Of the mlp.", _NETWORK)] = None,
    head: Annotated[str | None, choice("head", "From scores to probabilities. Default: softmax.", _NETWORK)] = None,
    image_size: Annotated[
        int | None,
        typer.Option(metavar="SIDE", help="Resize the images of class folders to this side.", rich_help_panel=_NETWORK),
    ] = None,
    pad_to: Annotated[
        int | None, typer.Option(metavar="SIDE", help="Pad square images to this side.", rich_help_panel=_NETWORK)
    ] = None,
    engine: Annotated[str | None, choice("engine", "What computes the gradient.", _NETWORK)] = None,
    device: Annotated[str | None, choice("device", "Where torch computes.", _NETWORK)] = None,
    dtype: Annotated[str | None, choice("dtype", "Of parameters and arithmetic. Default: float32.", _NETWORK)] = None,
    precision: Annotated[
        str | None, choice("precision", "Of the conv net's products in training. Default: auto.", _NETWORK)
    ] = None,
) -> None:
    """Learn from DATA; write model.likely, report.html and the figures to a run folder."""
    given: dict[str, Any] = {name: value for name, value in locals().items() if value is not None}
    command = _command(given)
    given.pop("config", None)
    settings = _configuration(config, given)

    from likely.cli.progress import watch
    from likely.report.run_report import report_run
    from likely.training.fit import fit as learn

    with watch() as watcher:
        run = learn(settings, watcher, command)
    report = report_run(run)
    _summarize(run, report)
    if run.stopped.startswith("diverged"):
        from likely.errors import DivergenceError

        raise DivergenceError(
            f"The loss must stay finite; training {run.stopped}. The model is the best state before that. "
            "Try a smaller --learning-rate.",
            run.predictor.card.training.steps,
        )


def _configuration(file: str | None, given: dict[str, Any]) -> "RunConfig":
    """The file's settings with the command line's laid over them."""
    from likely.config import RunConfig, load_settings

    settings = load_settings(file) if file is not None else {}
    if "hidden" in given:
        given["hidden"] = _widths(given["hidden"])
    if "event" in given:
        given["events"] = read_events(given.pop("event"))
    if "class_weight" in given:
        given["class_weight"] = _weights(given["class_weight"])
    settings |= given
    if "data" not in settings:
        raise typer.BadParameter("It is missing. Name a data set (fashion-mnist, digits) or a path.", param_hint="DATA")
    return RunConfig(**settings)


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a list of whole numbers, such as 256 or 512,256.", param_hint="--hidden"
        ) from None


def _weights(text: str) -> str | dict[str, float]:
    if text == "balanced":
        return text
    return read_numbers(text, "--class-weight")


def _command(given: dict[str, Any]) -> str:
    """The command line that was typed, options in the order of the help page."""
    words = ["likely", "fit"]
    for name, value in given.items():
        option = "--data" if name == "data_folder" else f"--{name.replace('_', '-')}"
        if name == "data":
            words.append(value)
        elif isinstance(value, list):
            words += [word for text in value for word in (option, text)]
        elif isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
        else:
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)


def _summarize(run: "Run", report: "Path") -> None:
    from likely.cli.result_tables import figures_table, promises_table, without_seen
    from likely.cli.terminal import console, printable, styled
    from likely.metrics.durations import duration
    from likely.model.run_folder import MODEL

    card = run.predictor.card
    training = card.training
    how = {"finished": "", "interrupted": ", interrupted: the best state so far was kept"}.get(
        run.stopped, f", ended by: {run.stopped}"
    )
    screen = console()
    later, seen = card.data.test_last, run.metrics.get("seen")
    which = "test rows" if later is None else f"the latest rows by {printable(later)}"
    headline = f"On {which}{' that' if later is None else ', which'} training never saw"
    if seen is not None:
        headline = (
            f"On {run.metrics['n']:,} {which.removeprefix('the ')}, {seen['n']:,} of them copies of training rows"
        )
        headline += " or related to some"
    screen.print(styled((f"\n{headline}", "bold")))
    if later is not None:
        screen.print("Sets, error bounds and familiarity assume random rows: of later ones this is all that is known.")
    screen.print(figures_table(run.metrics))
    if seen is not None:
        screen.print(without_seen(seen))
    if (promises := promises_table(run.metrics)) is not None:
        screen.print()
        screen.print(promises)
    screen.print(f"\nTrained in {duration(training.seconds)}: {round(training.epochs, 2):g} epochs{how}.")
    model = printable(run.folder / MODEL)
    screen.print(f"Model   {model}")
    screen.print(f"Report  {printable(report)}")
    if run.predictor.image_shape is not None:
        screen.print(f"\nTry     likely predict {shlex.quote(model)} IMAGE")
    elif run.predictor.columns is not None:
        screen.print(f"\nTry     likely predict {shlex.quote(model)} TABLE.csv")
