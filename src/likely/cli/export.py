"""`likely export`: a model as one ONNX file."""

from pathlib import Path
from typing import Annotated

import typer

from likely.cli.options import model_argument


def export(
    model: Annotated[str, model_argument()],
    out: Annotated[str, typer.Argument(metavar="OUT.onnx", help="The file to write.", show_default=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Write MODEL, with all that it answers, to one ONNX file.

    Preprocessing, network, calibration, sets, error bounds and familiarity are in the graph. The file gets its name
    once ONNX Runtime is seen to give the model's own answers.
    """
    import json

    from likely.cli.terminal import complain, console, printable
    from likely.export import export_onnx
    from likely.export.session import Session
    from likely.model import load

    found = export_onnx(load(model), out, overwrite=overwrite)
    for name, why in json.loads(Session(out).metadata["missing"]).items():
        complain(f"note: No output {name!r}: {why}")
    complain(
        f"{found.rows} random and extreme rows are answered alike: they differ by at most "
        f"{found.largest:.1e}; {found.undecided} answers are decided by rounding"
    )
    console().print(f"ONNX    {printable(Path(out))}")
