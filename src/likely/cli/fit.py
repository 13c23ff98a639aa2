"""`likely fit`: learn from data, and write a run folder."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likely.cli.failures import reader_may_leave
from likely.cli.options import Value, only_given, read_settings, settings, with_settings
from likely.config import RunConfig, load_settings
from likely.errors import OutputError

if TYPE_CHECKING:
    from likely.training.fit import Run
    from likely.training.loop.by_clock import Lengths


_PATHS = ("out", "data_folder", "init_from", "corrections")


@with_settings
def fit(
    config: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A .toml or .json with these settings; options on the command line win."),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Go on with the unfinished run in this folder, to the same result; a finished one stays as it is.",
            rich_help_panel="Output",
        ),
    ] = None,
    repeat: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Do the run in this folder again, which had a time limit: as long as then, to the same result.",
            rich_help_panel="Output",
        ),
    ] = None,
    resume_anyway: Annotated[
        bool | None,
        typer.Option(
            "--resume-anyway",
            help="Go on even if the machine, versions or threads are others: the result is as good, not the same.",
            rich_help_panel="Output",
        ),
    ] = None,
    **options: Value,
) -> None:
    """Learn from DATA; write model.likely, report.html and the figures to a run folder."""
    given = only_given({name: options[name] for name in settings()})
    command = _command(config, given)
    chosen = _configuration(config, given, resume, repeat)
    lengths = None if repeat is None else _lengths_of(Path(repeat), chosen)

    from likely.cli.progress import watch
    from likely.cli.terminal import complain
    from likely.errors import LikelyError
    from likely.model.run_folder import MODEL
    from likely.report.run_report import report_complete, report_run
    from likely.training.fit import fit as learn
    from likely.training.fit import has_come_to_its_end
    from likely.training.loop.interrupt import SIGNALS

    with watch() as watcher:
        if resume is not None and not chosen.overwrite and has_come_to_its_end(Path(resume)):
            report = report_complete(chosen, watcher)
            watcher.say(f"The run in {resume} has come to its end: nothing is left to be done")
            _say_files(Path(resume), report)
            return
        run = learn(
            chosen,
            watcher,
            command,
            resume=resume is not None,
            resume_anyway=bool(resume_anyway),
            lengths=lengths,
        )
    try:
        report = report_run(run, explain=chosen.explain)
    except (KeyboardInterrupt, LikelyError):
        complain(f"The model is complete: {run.folder / MODEL}. likely report {run.folder} writes its report.")
        raise
    with reader_may_leave():
        _summarize(run, report)
    if run.stopped in SIGNALS:
        raise typer.Exit(128 + SIGNALS[run.stopped])
    if run.stopped.startswith("diverged"):
        from likely.errors import DivergenceError

        raise DivergenceError(
            f"The loss must stay finite; training {run.stopped}. The saved model is the best state before that. Try a "
            "smaller --learning-rate.",
            run.predictor.card.training.steps,
        )


def _configuration(
    file: str | None, given: Mapping[str, Value], resume: str | None = None, repeat: str | None = None
) -> RunConfig:
    """The settings of a run to resume or to repeat, or none, the file's laid over them, and the command line's over
    these."""
    chosen = (load_settings(file) if file is not None else {}) | read_settings(given)
    if repeat is not None:
        from likely.model.run_folder import CONFIG

        chosen = load_settings(Path(repeat) / CONFIG) | {"out": None} | chosen
    if resume is not None:
        from likely.model.run_folder import CHECKPOINTS, CONFIG
        from likely.training.resume.basis import settings_of

        if "out" in given:
            raise typer.BadParameter("It must not come with --resume, which names the run folder.", param_hint="--out")
        run = Path(resume)
        before = settings_of(run / CHECKPOINTS) or (load_settings(run / CONFIG) if (run / CONFIG).is_file() else {})
        chosen = before | chosen | {"out": resume}
        if "data" not in chosen:
            raise OutputError(
                f"--resume must name the folder of a run; {resume} holds neither checkpoints nor {CONFIG}. Try likely "
                f"fit DATA --resume {shlex.quote(resume)}, which begins one there."
            )
    if "data" not in chosen:
        raise typer.BadParameter(
            "It is missing. Give the name of a data set (fashion-mnist, digits) or a path.", param_hint="DATA"
        )
    return RunConfig.from_json(chosen)


def _lengths_of(run: Path, chosen: RunConfig) -> "Lengths":
    """What the clock decided in a run of these settings."""
    from likely.model.run_folder import CONFIG
    from likely.training.resume.basis import refuse_other_settings
    from likely.training.resume.lengths import read_lengths

    refuse_other_settings(run, RunConfig.from_json(load_settings(run / CONFIG)), chosen)
    return read_lengths(run)


def _command(file: str | None, given: Mapping[str, Value]) -> str:
    """The command line that was typed, options in the order of the help page, paths without their folders."""
    from likely.data.dataset import without_folders

    words = ["likely", "fit", *([without_folders(str(given["data"]))] if "data" in given else [])]
    words += ["--config", without_folders(file)] if file else []
    for name, value in given.items():
        option = settings()[name].option
        if name == "data":
            continue
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
        else:
            for each in value if isinstance(value, list) else [value]:
                text = f"{each:g}" if isinstance(each, float) else str(each)
                words += [option, without_folders(text) if name in _PATHS else text]
    return shlex.join(words)


def _summarize(run: "Run", report: Path) -> None:
    from likely.cli.result_tables import figures_table, promises_table, without_seen
    from likely.cli.terminal import console, printable, styled
    from likely.config.durations import duration
    from likely.model.run_folder import MODEL, UNFINISHED
    from likely.training.loop.interrupt import SIGNALS

    card = run.predictor.card
    training = card.training
    if run.stopped in SIGNALS:
        how = f", {run.stopped}; the best state so far was kept"
    else:
        how = "" if run.stopped == "finished" else f", ended by: {run.stopped}"
    screen = console()
    later, seen = card.data.test_last, run.evaluation.seen
    which = "test rows" if later is None else f"the latest rows by {printable(later)}"
    headline = f"On {which}{' that' if later is None else ', which'} training never saw"
    if run.evaluation.rows is not None:
        headline = f"On {run.evaluation.n:,} {run.evaluation.kind} rows"
    if seen is not None:
        headline = f"On {run.evaluation.n:,} {which.removeprefix('the ')}, {seen.n:,} of them copies of training rows"
        headline += " or related to some"
    screen.print(styled((f"\n{headline}", "bold")))
    if later is not None:
        screen.print(
            "Sets, error bounds and familiarity assume random rows; these figures are all that is known about later "
            "ones."
        )
    screen.print(figures_table(run.evaluation))
    if run.evaluation.how:
        screen.print(f"{run.evaluation.how} With --test-share 20% a fifth of the rows is for the test alone.")
    if seen is not None:
        screen.print(without_seen(seen))
    if (promises := promises_table(run.evaluation)) is not None:
        screen.print()
        screen.print(promises)
    screen.print(f"\nTrained in {duration(training.seconds)}: {round(training.epochs, 2):g} epochs{how}.")
    if run.resumable:
        whole = run.folder.parent if run.folder.name == UNFINISHED else run.folder
        screen.print(f"Go on   likely fit --resume {shlex.quote(printable(whole))}")
    _say_files(run.folder, report)
    model = printable(run.folder / MODEL)
    if run.predictor.image_shape is not None:
        screen.print(f"\nTry     likely predict {shlex.quote(model)} IMAGE")
    elif run.predictor.columns is not None:
        screen.print(f"\nTry     likely predict {shlex.quote(model)} TABLE.csv")


def _say_files(folder: Path, report: Path) -> None:
    from likely.cli.terminal import console, printable
    from likely.model.run_folder import MODEL

    screen = console()
    screen.print(f"Model   {printable(folder / MODEL)}")
    screen.print(f"Report  {printable(report)}")
