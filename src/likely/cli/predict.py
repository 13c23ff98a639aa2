"""`likely predict`: answer new images, or the rows of a table."""

from contextlib import ExitStack
from typing import Annotated

import typer

from likely.cli.options import configured, model_argument, option
from likely.config import RunConfig
from likely.data.tables.suffixes import KINDS_READ

_CALLED = {
    "set": "sets at 95%",
    "low": "intervals at 90%",
    "abstained": "bound on the error at 1%",
    "familiarity": "familiarity",
}


_OPTIONS = {"image": option("image", default="as in training")}
_OPTIONS |= {name: option(name) for name in ("encoding", "header", "device")}


@configured(_OPTIONS, data=False)
def predict(
    model: Annotated[str, model_argument()],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...|TABLE", help=f"Files, folders, globs; or one table ({KINDS_READ}); - for standard input."
        ),
    ],
    wide: Annotated[bool, typer.Option("--wide", help="Bars for each row of a table, instead of one line.")] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="Number of labels with bars; for a table, like --wide. Default: 3.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list with every probability.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A CSV table with every probability.")] = False,
    as_parquet: Annotated[
        str | None, typer.Option("--parquet", metavar="FILE", help="A Parquet file with every probability.")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LABEL,...", help="Also give the probability of this set of labels; may be repeated."
        ),
    ] = None,
    given: Annotated[
        str | None, typer.Option(metavar="LABEL,...", help="Condition on the label being one of these.")
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(
            metavar="C",
            help="Also give a set of labels, or an interval, that contains the truth with probability C. "
            "Default: 0.95, for numbers 0.9.",
        ),
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(metavar="E", help="Abstain so that at most this share of the answers is wrong. Default: 0.01."),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(metavar="LABEL=P,...", help="Label frequencies of the new rows, if they differ from training."),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Only resize; skip the data set's conversion of photographs.")
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Also write, to a new folder, which pixels or columns carry each answer, or the events asked for; for "
            "at most 100 images or rows.",
        ),
    ] = None,
    *,
    asked: RunConfig,
) -> None:
    """Answer each IMAGE, or each row of a TABLE, with P(label | image).

    An image or row that cannot be read is reported, the others are answered, and the exit code is 1.
    """
    if as_json + as_csv + (as_parquet is not None) > 1:
        raise typer.BadParameter(
            "Use only one of --json, --csv and --parquet.", param_hint="--json / --csv / --parquet"
        )

    from likely.cli.answer_columns import columns_of
    from likely.cli.answers import Failure, Writer, answered
    from likely.cli.asked import images_asked, table_among
    from likely.cli.open_model import open_model
    from likely.cli.questions import read_events, read_numbers, read_promises, read_questions
    from likely.cli.terminal import complain
    from likely.cli.text_writers import BarWriter, LineWriter
    from likely.errors import DataError
    from likely.model import ClassifierPredictor
    from likely.probability.space import SampleSpace

    predictor = open_model(model, asked.device)
    table = table_among(predictor, images)
    about = "image" if table is None else "row"
    questions = None
    if isinstance(predictor, ClassifierPredictor):
        if prior is not None:
            typed, frequencies = predictor.labels_by_text, read_numbers(prior, "--prior")
            predictor = predictor.with_prior({typed.get(label, label): p for label, p in frequencies.items()})
        questions = read_questions(SampleSpace(predictor.card.labels), event or (), given, predictor.card.events)
        promises = read_promises(predictor, coverage, max_error)
        if prior is not None and promises.coverage is not None and predictor.approximate_sets:
            complain(f"note: Sets are approximate: {predictor.approximate_sets}")
    elif event or any(option is not None for option in (given, max_error, prior)):
        raise DataError(
            f"Events, class frequencies and error bounds need labels; {model} predicts numbers. Try without --event, "
            "--given, --max-error and --prior."
        )
    else:
        promises = read_promises(predictor, coverage, max_error)
    # JSON says with each answer what is missing and why; a table has no column that would be empty.
    for name in promises.missing if as_csv or as_parquet is not None else ():
        complain(f"No {_CALLED[name]}: {promises.missing[name]}")
    if not (as_json or as_csv or as_parquet is not None) and (never := predictor.never_unfamiliar):
        complain(never)

    if table is None:
        rows = images_asked(predictor, images, raw=raw)
    else:
        from likely.cli.asked_rows import rows_asked

        rows = rows_asked(predictor, table, asked, raw=raw)
    explained = None
    if explain is not None:
        from likely.cli.explaining import ExplainedRows

        explained = ExplainedRows(explain, predictor, read_events(event or ()))
        rows = explained.passing(rows)
    failed = 0
    writer: Writer | None = None
    with ExitStack() as files:
        for outcome in answered(predictor, rows, questions, promises):
            # Only now is it sure that there is something to answer, and no other error than those of single images.
            if writer is None:
                columns = columns_of(predictor, questions, about)
                if as_parquet is not None:
                    from likely.cli.writers import ParquetWriter
                    from likely.data.tables.write_parquet import parquet_rows, spelled

                    file = files.enter_context(parquet_rows(as_parquet, columns.headings(spelled)))
                    writer = ParquetWriter(file, columns)
                elif as_json or as_csv:
                    from likely.cli.writers import CsvWriter, JsonWriter

                    writer = JsonWriter() if as_json else CsvWriter(columns)
                elif table is None or wide or top is not None:
                    writer = BarWriter(top or 3, promises, predictor.card.target_scale)
                else:
                    writer = LineWriter(promises, predictor.card.target_scale)
            if isinstance(outcome, Failure):
                failed += 1
                complain(f"error: {outcome.error}")
            writer.write(outcome)
        if writer is not None:
            writer.close()
    if explained is not None:
        explained.write(model)
    if failed:
        raise typer.Exit(1)
