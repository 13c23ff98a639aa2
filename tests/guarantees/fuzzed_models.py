"""Model files whose cards and arrays were changed on purpose, with a checksum that fits."""

import contextlib
import hashlib
import json
import random
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.numpy
from tests.guarantees.fuzzing import Target
from tests.guarantees.mutations import as_text, changed_array, changed_bytes, changed_json

import likely
from likely import Classifier, Regressor
from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.errors import DataError
from likely.model import file as model_file
from likely.model.card_view import card_html
from likely.training.fit import learn

OLD = Path(__file__).parents[1] / "model" / "data"
SUM = slice(model_file._SUM_AT, model_file._SUM_AT + 64)


def forged(content: bytes) -> bytes:
    """The same file with the checksum that its bytes have."""
    zeroed = content[: SUM.start] + b"0" * 64 + content[SUM.stop :]
    return content[: SUM.start] + hashlib.sha256(zeroed).hexdigest().encode() + content[SUM.stop :]


def table(n: int = 120) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers, some missing, categories and dates, and a number that depends on them."""
    rng = np.random.default_rng(0)
    size, kind = rng.normal(size=n), rng.choice(["red", "green", "blue"], n)
    when = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 800, n), "D")
    y = size + (kind == "red") + rng.normal(size=n) / 5
    gaps = np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
    return pd.DataFrame({"size": size, "kind": kind, "when": when, "gaps": gaps}), y


@cache
def seeds() -> list[bytes]:
    """Small models of every kind, and those of earlier versions."""
    X, y = table()
    labels = np.where(y > 1, "many", np.where(y > 0, "some", "none"))
    images, val = np.random.default_rng(0).integers(0, 255, (2, 100, 8, 8), np.uint8)
    of_images = np.arange(100) % 2
    settings: dict[str, Any] = {"random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = [
            Classifier(network="linear", events={"any": ["many", "some"]}, **settings).fit(
                X, labels, class_weight="balanced"
            ),
            Classifier(network="trees", **settings).fit(X, labels),
            Classifier(network="auto", **settings).fit(X[:60], labels[:60]),
            Regressor(network="mlp", epochs=2, **settings).fit(X, y),
            Regressor(network="auto", **settings).fit(X[:60], y[:60]),
            Classifier(network="mlp", epochs=1, **settings).fit(images, of_images),
        ]
        ensemble = learn(
            Dataset(
                "images",
                "classification",
                Part(images, of_images),
                val=Part(val, of_images),
                labels=("a", "b"),
            ),
            RunConfig(data="images", network="conv", members=2, epochs=1),
        )
    predictors = [ensemble.predictor, *(each.predictor_ for each in made)]
    predictors.append(predictors[1].with_prior({"many": 0.2, "none": 0.5, "some": 0.3}))
    found = [model_file.as_bytes(p.arrays, p.card.to_json()) for p in predictors]
    return found + old_models()


def old_models() -> list[bytes]:
    """Those of earlier versions, which take no time to make."""
    return [path.read_bytes() for path in sorted(OLD.glob("*.likely"))]


def mutate(content: bytes, rng: random.Random) -> bytes:
    """The card, an array, or the text of the header changed; the checksum made anew."""
    if rng.random() < 0.1:
        start = 8 + int.from_bytes(content[:8], "little")
        header = changed_bytes(content[SUM.stop : start], rng)
        size = (SUM.stop - 8 + len(header)).to_bytes(8, "little")
        return forged(size + content[8 : SUM.stop] + header + content[start:])
    arrays, document = _parts(content)
    if rng.random() < 0.75:
        document = changed_json(document, rng)
    if rng.random() < 0.35 and arrays:
        name = rng.choice(sorted(arrays))
        match rng.randrange(6):
            case 0:
                arrays.pop(name)
            case 1:
                other = rng.choice(sorted(arrays))
                arrays[name], arrays[other] = arrays[other], arrays[name]
            case 2:
                arrays[rng.choice((name + "x", "theta.x", "held_out.x", "x", "backbone.x"))] = arrays[name]
            case _:
                arrays[name] = changed_array(arrays[name], rng)
    return written(arrays, as_text(document, rng))


def _parts(content: bytes) -> tuple[dict[str, np.ndarray], Any]:
    try:
        return parts(content)
    except Exception:  # what has been changed before
        return parts(old_models()[0])


def parts(content: bytes) -> tuple[dict[str, np.ndarray], Any]:
    """The arrays and the card of a file that is whole."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return dict(safetensors.numpy.load(content)), json.loads(header["__metadata__"]["likely"])["document"]


def written(arrays: dict[str, np.ndarray], document: str) -> bytes:
    """A file of these, whatever they are."""
    envelope = '{"checksum":"' + "0" * 64 + '","document":' + document + ',"format":1}'
    ready = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return forged(safetensors.numpy.save(ready, metadata={"likely": envelope.encode(errors="replace").decode()}))


def feed(path: Path) -> None:
    """Load a model, look at it, ask it everything, and write it anew."""
    predictor: Any = likely.load(path)
    card_html(predictor.card)
    X = rows_for(predictor)
    with np.errstate(all="ignore"):
        if predictor.task == "regression":
            found = predictor.examine(X, 0.5 if predictor.can_cover(0.5) else None)
            assert np.isfinite(found.predictions).all()
            assert found.intervals is None or not np.isnan(found.intervals).any()
        else:
            found = predictor.examine(X)
            total = np.exp(found.log_probs).sum(axis=1)
            assert np.allclose(total, 1, atol=1e-3), total
            _ = predictor.events, predictor.approximate_sets
            with contextlib.suppress(DataError):  # too few rows for a guarantee
                predictor.predict_set(X, 0.5)
            with contextlib.suppress(DataError):
                predictor.predict_or_abstain(X, 0.5)
    assert found.familiarity is None or not np.isnan(found.familiarity).any()
    again = model_file.as_bytes(predictor.arrays, predictor.card.to_json())
    assert again


def rows_for(predictor: Any) -> Any:
    """Three rows that the model reads, all of them plain."""
    preprocessor = predictor.preprocessor
    rng = np.random.default_rng(0)
    if predictor.image_shape is not None:
        if getattr(preprocessor, "pixels", None) is not None:
            return rng.normal(size=(3, *preprocessor.shape))
        return rng.integers(0, 255, (3, *preprocessor.shape), np.uint8)
    if preprocessor.columns is None:
        return np.tile(preprocessor.mean, (3, 1))
    means = dict(zip(preprocessor.inputs.numbers.tolist(), preprocessor.mean, strict=True))
    return np.tile([means.get(j, 0.0) for j in range(preprocessor.shape[0])], (3, 1))


MODELS = Target("model", seeds, mutate, feed, ".likely")
