"""The page: one index.html with the runtime, the model and everything else in it."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from likely.atomic import StrPath, write_text
from likely.errors import DataError, OutputError
from likely.export.answer_differences import Parity
from likely.export.error_table import ERRORS, error_thresholds
from likely.export.export_onnx import require_extra
from likely.export.graph.resizing import pillow_chooses
from likely.export.names import ABSTAINED_BY_DEFAULT, COVERAGE, MAX_ERROR, event_outputs
from likely.export.parity import check_parity
from likely.export.session import Session
from likely.export.web.runtime import Runtime
from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.predictor import Predictor
from likely.trust.familiarity import UNFAMILIAR

PAGE = "index.html"
_CHOICES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
_NO_USE = ("arrays", "card", "columns")
"""Metadata that the page leaves out."""
_EXPORTS = re.compile(r"export\s*\{([^}]*)\}\s*;?")


def write_page(
    predictor: Predictor,
    folder: StrPath,
    runtime: Runtime,
    examples: Sequence[dict[str, str]] = (),
    *,
    overwrite: bool = False,
) -> Parity:
    """Write index.html to the folder, once ONNX Runtime is seen to answer like the predictor; says how alike.

    Raises:
        MissingExtraError: if the packages of the extra `export` are not installed.
        DataError: if the model is not one of images.
        OutputError: if the folder holds something that is not to be overwritten.
        EngineError: as `export_onnx`.
    """
    require_extra("A page")
    from likely.export.graph.whole_model import onnx_model

    if predictor.image_shape is None or getattr(predictor.preprocessor, "pixels", None) is not None:
        raise DataError(
            f"A page must have a model of images of whole gray levels; got one of "
            f"{'a table' if predictor.image_shape is None else 'floating-point numbers'}. There is no page for it yet. "
            "Try likely export MODEL OUT.onnx."
        )
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} must be a folder; got a file. Try another name.")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputError(f"{folder} must be empty or new; it is not. Try another folder, or --overwrite.")
    model = onnx_model(predictor)
    session = Session(model.SerializeToString())
    found = check_parity(predictor, session)
    page = page_of(_for_page(model), runtime, facts_of(predictor, session), examples)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / PAGE, page)
    return found


def facts_of(predictor: Predictor, session: Session) -> dict[str, Any]:
    """What the page must know besides the graph."""
    card, shape = predictor.card, predictor.image_shape
    assert shape is not None
    missing = json.loads(session.metadata["missing"])
    missing.pop(ABSTAINED_BY_DEFAULT, None)  # the page offers the bounds that can be guaranteed
    return {
        "name": card.data.name,
        "labels": list(card.labels),
        "events": {event: list(card.events[event]) for event in event_outputs(card.events).values()},
        "shape": list(shape),
        "conversion": card.conversion,
        "columnsFirst": pillow_chooses(),
        "outputs": list(session.outputs),
        "inputs": [name for name in (COVERAGE, MAX_ERROR) if name in session.optional],
        "missing": missing,
        "unfamiliar": UNFAMILIAR if predictor.can_alarm else 0,
        "usualCoverage": 0.95 if card.labels else 0.9,
        "errors": _errors(predictor) if MAX_ERROR in session.optional else [],
        "approximate": getattr(predictor, "approximate_sets", ""),
    }


def _errors(predictor: Predictor) -> list[float]:
    """The bounds on the error that one can choose: those that the model can guarantee."""
    assert isinstance(predictor, ClassifierPredictor)
    thresholds = error_thresholds(predictor.held_out_for_errors())
    assert thresholds is not None
    by_error = dict(zip(ERRORS.tolist(), thresholds.tolist(), strict=True))
    return [error for error in _CHOICES if by_error[error] < np.inf]


def page_of(model: bytes, runtime: Runtime, facts: dict[str, Any], examples: Sequence[dict[str, str]]) -> str:
    """The text of the page: every script and style is named by its hash in the policy, and no network is allowed."""
    style = _file("page.css")
    script = f"{_as_constant(runtime.script)}\n{{\n{_file('photograph.js')}\n{_file('page.js')}\n}}\n"
    policy = (
        f"default-src 'none'; script-src 'sha256-{_sha256(script)}' 'wasm-unsafe-eval'; "
        f"style-src 'sha256-{_sha256(style)}'; img-src data: blob:; media-src blob: mediastream:; base-uri 'none'; "
        "form-action 'none'"
    )
    parts = {
        "policy": policy,
        "style": style,
        "script": script,
        "title": _escaped(facts["name"]),
        "facts": _data(facts),
        "examples": _data(list(examples)),
        "runtime": _packed(runtime.wasm),
        "model": _packed(model),
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: parts[match[1]], _file("page.html"))


def _for_page(model: onnx.ModelProto) -> bytes:
    """The model without what the page leaves out; its optional inputs become others, since browsers cannot omit any."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    constants = [c for c in made.graph.initializer if c.name not in (COVERAGE, MAX_ERROR)]
    del made.graph.initializer[:]
    made.graph.initializer.extend(constants)
    kept = [entry for entry in made.metadata_props if entry.key not in _NO_USE]
    del made.metadata_props[:]
    made.metadata_props.extend(kept)
    return made.SerializeToString()


def _as_constant(module: str) -> str:
    """The module as a script that puts what it exports into the constant ORT."""
    pairs = [part.strip().split(" as ") for part in _EXPORTS.findall(module)[-1].split(",")]
    exported = ", ".join(f"{pair[-1]}: {pair[0]}" for pair in pairs if pair[-1] != "default")
    body = module.rpartition("\n//# sourceMappingURL")[0] or module
    return f"{_EXPORTS.sub('', body)}\nconst ORT = {{ {exported} }};".replace("</script", "<\\/script")


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _data(value: object) -> str:
    """JSON that no text in it can end."""
    return json.dumps(value).replace("<", "\\u003c")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _file(name: str) -> str:
    return files("likely.export.web").joinpath("page", name).read_text(encoding="utf-8")
