"""Exported models answer like their predictors: models of every kind, of small worlds, on golden and on new rows."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.guarantees.asked_page import differences
from tests.guarantees.proof import Check, Figures, Proof, mean
from tests.networks.test_transformers import FAMILIES, tiny

from likely import Classifier, Regressor
from likely.errors import EngineError
from likely.export.check_onnx import check_onnx
from likely.export.export_onnx import export_onnx
from likely.export.onnx_predictor import open_onnx

IMAGES = ("linear", "mlp", "conv", "module", "efficientnet-lite0", "transformers")
TABLES = ("linear", "mlp", "trees", "mixture")
KINDS = (*IMAGES, *(f"table: {name}" for name in TABLES), *(f"numbers: {name}" for name in TABLES))


def images(rng: np.random.Generator, n: int, *, color: bool) -> tuple[np.ndarray, np.ndarray]:
    """Images of two or three classes that differ in where they are bright."""
    height, width = rng.integers(8, 20, 2)
    y = rng.integers(0, rng.integers(2, 4), n)
    X = rng.integers(0, 120, (n, height, width, *([3] if color else [])))
    for row, label in enumerate(y):
        X[row, label * height // 3 : (label + 1) * height // 3] += 100
    return X.astype(np.uint8), y


def table(rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of numbers, texts and dates, some of them missing, and a number that depends on all."""
    size, kind = rng.normal(5, rng.uniform(0.1, 100), n), rng.integers(0, rng.integers(2, 40), n)
    when = pd.Timestamp("2001-02-03") + pd.to_timedelta(rng.random(n) * rng.uniform(5, 5_000), "D")
    y = (size - 5) / size.std() + kind % 3 + when.month.to_numpy() / 6 + rng.normal(size=n) / 3
    size[rng.random(n) < 0.1] = np.nan
    columns = {"size": size, "skewed": np.exp(rng.normal(size=n)), "kind": [f"k{k}" for k in kind], "when": when}
    return pd.DataFrame(columns), y


def module(n: int, sample: np.ndarray) -> Any:
    from torch import nn

    channels, width = sample.shape[1], 4
    layers = (nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.GELU(), nn.AdaptiveAvgPool2d(3))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(9 * width, n))


def unusual(n: int, sample: np.ndarray) -> Any:
    """A module with an operator that ONNX has no counterpart for."""
    import torch
    from torch import nn

    class Unusual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(sample[0].size, n)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(torch.special.i1(x.flatten(1)))

    return Unusual()


def learned(seed: int, folder: Path) -> tuple[str, Any, Any]:
    """The kind of a model, the model, and new rows for it; what it takes for that is written to the folder."""
    rng, settings = np.random.default_rng(seed), {"random_state": seed}
    kind = KINDS[seed % len(KINDS)]
    name = kind.rpartition(" ")[2]
    if name in ("linear", "mlp", "conv", "module"):
        settings["epochs"] = 1
    if kind in IMAGES:
        pretrained = kind in ("efficientnet-lite0", "transformers")
        n = 60 if pretrained else 240
        X, y = images(rng, n, color=pretrained or bool(rng.integers(0, 2)))
        given: Any = X
        if kind == "transformers":
            family = FAMILIES[seed // len(KINDS) % len(FAMILIES)]
            for part in tiny(family):
                part.save_pretrained(folder / family)
            name, given = f"hf:{folder / family}", [Image.fromarray(image) for image in X]
        found = Classifier(network=module if kind == "module" else name, **settings).fit(
            given[: n * 2 // 3], y[: n * 2 // 3]
        )
        return kind, found.predictor_, given[n * 2 // 3 :]
    X, y = table(rng, 400)
    if kind.startswith("numbers"):
        return kind, Regressor(network=name, **settings).fit(X[:300], 1_000 * y[:300]).predictor_, X[300:]
    return kind, Classifier(network=name, **settings).fit(X[:300], np.digitize(y[:300], [0, 1.5])).predictor_, X[300:]


def draw(seed: int, *, in_browser: bool = True) -> Figures:
    """The largest difference between two answers, to golden rows and to new ones, by the kind of the model."""
    with tempfile.TemporaryDirectory() as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(made)
        kind, predictor, X = learned(seed, folder)
        path = folder / "model.onnx"
        golden = export_onnx(predictor, path)
        new = check_onnx(predictor, open_onnx(path), predictor.rows(X))
        refused = np.nan
        if kind == "module":
            other = Classifier(network=unusual, epochs=1, random_state=seed).fit(X, np.arange(len(X)) % 2).predictor_
            with pytest.raises(EngineError) as error:
                export_onnx(other, path.with_suffix(".other"))
            refused = float("bessel_i1" in str(error.value) and not path.with_suffix(".other").exists())
        shown = {"png": np.nan, "jpeg": np.nan}
        if kind in IMAGES and in_browser:
            shown = differences(predictor, np.stack([np.asarray(x) for x in X[:4]]), folder)
    return {
        "kind": float(KINDS.index(kind)),
        "largest": max(golden.largest, new.largest),
        "undecided": float(golden.undecided + new.undecided),
        "refused": refused,
        **shown,
    }


def checks(draws: list[Figures]) -> list[Check]:
    """An export raises where answers differ: what is left to see is by how much they may."""
    largest = max(figures["largest"] for figures in draws)
    undecided = sum(figures["undecided"] for figures in draws)
    png, jpeg = (np.array([figures[name] for figures in draws]) for name in ("png", "jpeg"))
    asked = np.isfinite(png)
    apart = [float(np.max(values[asked], initial=0.0)) for values in (png, jpeg)]
    return [
        Check("largest difference of probabilities", largest, "at most 1e-05", largest <= 1e-5),
        Check("modules refused by operator", mean(draws, "refused"), "1", mean(draws, "refused") == 1),
        Check("pages asked in Chromium", float(asked.sum()), "at least 40", bool(asked.sum() >= 40)),
        Check("their largest difference, PNG", apart[0], "at most 0.001", apart[0] <= 1e-3),
        Check("their largest difference, JPEG", apart[1], "at most 0.02", apart[1] <= 0.02),
        Check("answers decided by rounding, a model", undecided / len(draws), "at most 1", undecided <= len(draws)),
    ]


PROOF = Proof("doors", draw, checks, draws=98, first=1_008)


def test_models_of_images_and_tables_answer_alike() -> None:
    draws = [draw(seed, in_browser=False) for seed in (1_008, 1_015)]
    assert max(figures["largest"] for figures in draws) <= 1e-5
