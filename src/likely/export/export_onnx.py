"""From a predictor to an ONNX file: the graph, the proof that it answers alike, and only then the file."""

import importlib.util
from pathlib import Path

from likely.atomic import StrPath, write_bytes
from likely.errors import EngineError, LikelyError, MissingExtraError, OutputError
from likely.export.parity import Parity, check_parity
from likely.export.session import Session
from likely.model.predictor import Predictor


def export_onnx(predictor: Predictor, path: StrPath, *, overwrite: bool = False) -> Parity:
    """Write the model to one ONNX file, and say how alike its answers are.

    Raises:
        MissingExtraError: if the packages of the extra `export` are not installed.
        OutputError: if the file exists and is not to be overwritten, or it cannot be written.
        EngineError: if the network cannot be exported, or the answers differ; nothing is written then.
    """
    require_extra("An ONNX file")
    from likely.export.graph.whole_model import onnx_model

    if Path(path).exists() and not overwrite:
        raise OutputError(f"{path} already exists. Try another name, or --overwrite (overwrite=True) to replace it.")
    content = onnx_model(predictor).SerializeToString()
    try:
        found = check_parity(predictor, Session(content))
    except LikelyError:
        raise
    except Exception as error:  # of ONNX Runtime's many kinds
        raise EngineError(
            f"ONNX Runtime must compute the exported model; got: {error}. Nothing was written. Does the network do "
            "something else for batches of another size?"
        ) from error
    write_bytes(path, content)
    return found


def require_extra(what: str) -> None:
    """Refuse what takes packages that are not installed.

    Raises:
        MissingExtraError: with the line that installs them.
    """
    if not all(map(importlib.util.find_spec, ("onnx", "onnxruntime"))):
        raise MissingExtraError("export", what)
