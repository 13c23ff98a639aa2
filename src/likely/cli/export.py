"""`likely export`: a model as one ONNX file, and whether such a file still answers like its model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likely.cli.options import configured, model_argument, part_option, reading_options
from likely.config import RunConfig
from likely.errors import OutputError

if TYPE_CHECKING:
    from likely.export.answer_differences import Parity
    from likely.model import Predictor


@configured(reading_options(), data=False)
def export(
    model: Annotated[str, model_argument()],
    target: Annotated[
        str,
        typer.Argument(
            metavar="OUT.onnx|FOLDER",
            help="The file to write; with --web, the folder of the page; with --check, the DATA.",
            show_default=False,
        ),
    ],
    asked: RunConfig,
    web: Annotated[
        bool, typer.Option("--web", help="Write FOLDER/index.html, a page that answers images in the browser, offline.")
    ] = False,
    private: Annotated[bool, typer.Option("--private", help="With --web: no test images as examples.")] = False,
    runtime: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="With --web: the files of onnxruntime-web. Default: from npm.", show_default=False
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="OUT.onnx", help="Write nothing: compare this file with MODEL on your own DATA.", show_default=False
        ),
    ] = None,
    part: Annotated[str | None, part_option("check")] = None,
) -> None:
    """Write MODEL, with all that it answers, to one ONNX file, or to a page for the browser.

    Preprocessing, network, calibration, sets, error bounds and familiarity are in the graph. The file gets its name
    once ONNX Runtime is seen to give the model's own answers.
    """
    from likely.cli.terminal import complain, console, printable
    from likely.export.export_onnx import export_onnx
    from likely.export.names import ABSTAINED_BY_DEFAULT
    from likely.export.onnx_predictor import open_onnx
    from likely.model import load

    predictor = load(model, asked.device)
    if check is not None:
        _check(check, predictor, asked.replace(data=target), part)
        return
    if web:
        _write_page(model, predictor, target, runtime, private=private, overwrite=overwrite)
        return
    if not target.lower().endswith(".onnx"):
        raise OutputError(
            f"{target} must end in .onnx, by which other commands know such a file. Try {target}.onnx, or --web for a "
            "page."
        )
    found = export_onnx(predictor, target, overwrite=overwrite)
    for name, why in open_onnx(target).missing.items():
        what = "Every row is abstained from by default" if name == ABSTAINED_BY_DEFAULT else f"No output {name!r}"
        complain(f"note: {what}: {why}")
    complain(_told(found, "random and extreme rows"))
    console().print(f"ONNX    {printable(Path(target))}")


def _write_page(
    model: str, predictor: "Predictor", folder: str, runtime: str | None, *, private: bool, overwrite: bool
) -> None:
    from likely.cli.terminal import complain, console, printable
    from likely.export.web.example_images import examples_of
    from likely.export.web.runtime import read_runtime
    from likely.export.web.write_page import PAGE, write_page

    examples, why = ([], "") if private else examples_of(predictor, Path(model))
    if why:
        complain(f"note: No examples: {why}")
    found = write_page(predictor, folder, read_runtime(runtime), examples, overwrite=overwrite)
    complain(_told(found, "random and extreme images"))
    console().print(f"Page    {printable(Path(folder) / PAGE)}")


def _check(path: str, predictor: "Predictor", asked: RunConfig, part: str | None) -> None:
    from likely.cli.evaluating import chosen_rows, in_terms_of, open_for_evaluation
    from likely.cli.progress import watch
    from likely.cli.terminal import console
    from likely.export.check_onnx import check_onnx
    from likely.export.onnx_predictor import open_onnx

    exported = open_onnx(path)
    with watch() as watcher:
        dataset = open_for_evaluation(predictor, asked, watcher)
        rows = in_terms_of(predictor, dataset, chosen_rows(dataset, part, watcher))
        found = check_onnx(predictor, exported, rows.X)
    console().print(_told(found, "rows"))


def _told(found: "Parity", what: str) -> str:
    undecided = f"; {found.undecided:,} answers are decided by rounding" if found.undecided else ""
    return f"{found.rows:,} {what} get the model's own answers, within {found.largest:.1e}{undecided}"
