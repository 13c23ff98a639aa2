"""`likely predict`: answer new pictures."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, cast

import typer

from likely.cli.options import choice, model_argument

if TYPE_CHECKING:
    import numpy as np

    from likely.cli.answers import Failure, Outcome
    from likely.cli.questions import Promises, Questions
    from likely.cli.writers import Writer
    from likely.data.find import Found
    from likely.predictor import ClassifierPredictor, Predictor, RegressorPredictor

_BATCH = 500


def predict(
    model: Annotated[str, model_argument()],
    pictures: Annotated[
        list[str],
        typer.Argument(
            metavar="PICTURE...", help="Files, folders, globs, or - for standard input.", show_default=False
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many labels the table shows.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list with every probability.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A CSV table with every probability.")] = False,
    event: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LABEL,...", help="Answer this set of labels, too; may be repeated.", show_default=False
        ),
    ] = None,
    given: Annotated[
        str | None,
        typer.Option(metavar="LABEL,...", help="Answer under the condition that the label is one of these."),
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(
            metavar="C", help="Also name a set of labels that holds the truth with probability C. Default: 0.95."
        ),
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(
            metavar="E", help="Abstain where needed to be wrong in at most this share of the answers. Default: 0.01."
        ),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL=P,...", help="How often each label comes in the field, where that differs from training."
        ),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Only resize: leave out the data set's conversion of photographs.")
    ] = False,
    device: Annotated[str | None, choice("device", "Where torch computes.")] = None,
) -> None:
    """Answer each PICTURE with P(label | picture).

    A picture that cannot be read is reported by name, the others are answered, and the exit code is 1.
    """
    if as_json and as_csv:
        raise typer.BadParameter("Choose one of --json and --csv.", param_hint="--json / --csv")

    from likely.cli.answers import Failure
    from likely.cli.questions import Promises, read_numbers, read_promises, read_questions
    from likely.cli.terminal import complain
    from likely.data.find import find_pictures
    from likely.errors import DataError
    from likely.predictor import ClassifierPredictor, load
    from likely.probability.space import SampleSpace

    predictor = load(model, device or "auto")
    if predictor.picture_shape is None:
        raise DataError(
            f"The model must be one of pictures; {model} answers rows of {predictor.normalization.shape[0]} numbers. "
            "Try likely.load(path).predict(rows) in Python."
        )
    questions, promises = None, Promises()
    if isinstance(predictor, ClassifierPredictor):
        if prior is not None:
            typed, frequencies = predictor.labels_by_text, read_numbers(prior, "--prior")
            predictor = predictor.with_prior({typed.get(label, label): p for label, p in frequencies.items()})
        questions = read_questions(SampleSpace(predictor.card.labels), event or (), given, predictor.card.events)
        promises = read_promises(predictor, coverage, max_error)
    elif event or any(option is not None for option in (given, coverage, max_error, prior)):
        raise DataError(
            f"Events, sets and errors must be about labels; {model} predicts numbers. "
            "Try without --event, --given, --coverage, --max-error and --prior."
        )

    failed = 0
    writer: Writer | None = None
    for outcome in _outcomes(predictor, find_pictures(pictures), questions, promises, raw=raw):
        # Only now is it sure that there is something to answer, and no other error than those of single pictures.
        writer = writer or _writer(predictor, questions, promises, top=top, as_json=as_json, as_csv=as_csv)
        if isinstance(outcome, Failure):
            failed += 1
            complain(f"error: {outcome.error}")
        writer.write(outcome)
    if writer is not None:
        writer.close()
    if failed:
        raise typer.Exit(1)


def _outcomes(
    predictor: "ClassifierPredictor | RegressorPredictor",
    found: "Iterable[Found]",
    questions: "Questions | None",
    promises: "Promises",
    *,
    raw: bool,
) -> "Iterator[Outcome]":
    """One outcome per picture, in order; never more than a batch of pictures in memory."""
    import numpy as np

    from likely.cli.answers import Failure, classify, regress

    for batch in _batches(found):
        read = [_read(predictor, entry, raw=raw) for entry in batch]
        names = [entry.name for entry, picture in zip(batch, read, strict=True) if not isinstance(picture, Failure)]
        pictures = [picture for picture in read if not isinstance(picture, Failure)]
        answers: Iterator[Outcome] = iter(())
        if pictures:
            X = np.stack(pictures)
            if questions is not None:
                answers = classify(cast("ClassifierPredictor", predictor), names, X, questions, promises)
            else:
                answers = regress(cast("RegressorPredictor", predictor), names, X)
        for picture in read:
            yield picture if isinstance(picture, Failure) else next(answers)


def _read(predictor: "Predictor", entry: "Found", *, raw: bool) -> "np.ndarray | Failure":
    from likely.cli.answers import Failure
    from likely.data.picture import read_picture
    from likely.errors import PictureError

    shape = predictor.picture_shape
    if entry.source is None or shape is None:
        return Failure(entry.name, entry.error or "There is nothing to read.")
    called = "The standard input" if entry.name == "-" else entry.name
    try:
        return read_picture(entry.source, shape=shape, conversion=predictor.card.conversion, raw=raw, name=called)
    except PictureError as error:
        return Failure(entry.name, str(error))


def _batches(found: "Iterable[Found]") -> "Iterator[list[Found]]":
    rest = iter(found)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _writer(
    predictor: "ClassifierPredictor | RegressorPredictor",
    questions: "Questions | None",
    promises: "Promises",
    *,
    top: int,
    as_json: bool,
    as_csv: bool,
) -> "Writer":
    from likely.cli.writers import ANSWER_COLUMNS, CsvWriter, JsonWriter, TableWriter

    if as_json:
        return JsonWriter()
    if not as_csv:
        return TableWriter(top, promises)
    if questions is None:
        outputs = predictor.card.network.outputs
        return CsvWriter(["prediction"] if outputs == 1 else [f"prediction{i + 1}" for i in range(outputs)], [])
    names = [*predictor.card.labels, *questions.events]
    return CsvWriter(ANSWER_COLUMNS, names, given=questions.given is not None)
