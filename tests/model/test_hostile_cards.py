"""A card that contradicts itself, or its arrays, is refused when it is loaded, before anything is allocated."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.guarantees.fuzzed_models import written
from tests.guarantees.fuzzing import peak, reset_peak

from likely import load
from likely.errors import DataError, ModelFileError, ShapeError
from likely.model import file as model_file
from likely.networks import network_as_described
from likely.networks.transformers_layout import TransformersLayout

DATA = Path(__file__).parent / "data"


def changed(kind: str, folder: Path, entry: str, value: Any) -> Path:
    """An old model with one entry of its card, or of an array, replaced."""
    arrays, document = model_file.read(DATA / f"recent_{kind}.likely")
    *way, last = entry.split("/")
    at: Any = arrays if way == ["arrays"] else document
    for key in way if at is document else ():
        at = at[int(key) if isinstance(at, list) else key]
    at[last] = value(at.get(last)) if callable(value) else value
    path = folder / "model.likely"
    path.write_bytes(written(arrays, json.dumps(document)))
    return path


def first(number: float) -> Any:
    """An array whose first number is another one."""

    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array.reshape(-1)[0] = number
        return array

    return change


@pytest.mark.parametrize(
    ("kind", "entry", "value"),
    [
        ("conv", "network/settings/width", 20_000),
        ("conv", "network/settings/stem", 100_000),
        ("conv", "network/settings/stride", 20_000),
        ("conv", "network/settings/width", 4.0),
        ("conv", "normalization/pad_to", 30_000),
        ("conv", "normalization/shape", [8, 2_000_000_000]),
        ("conv", "network/outputs", -10),
        ("conv", "conversion", {"name": "x"}),
        ("linear", "network/settings/n_inputs", 10**12),
        ("linear", "network/outputs", 4),
        ("linear", "network/parameters", 10**6),
        ("linear", "network/parameters", -1),
        ("linear", "temperature", 1e-300),
        ("linear", "temperature", 0),
        ("linear", "biases", [0.0, 0.0]),
        ("linear", "head", "identity"),
        ("linear", "labels", ["a", "a", "b"]),
        ("linear", "label_type", "int"),
        ("linear", "class_frequencies", [0.5, 0.5, 0.5]),
        ("linear", "class_weight", [1.0, 0.0, 1.0]),
        ("linear", "prior", [2.0, -1.0, 0.0]),
        ("linear", "events", {"any": ["nobody"]}),
        ("linear", "unseen", {"nobody": 0.1}),
        ("linear", "target_mean", [0.0]),
        ("linear", "mirror", True),
        ("linear", "features", ["a"]),
        ("linear", "metrics", {"n": "many"}),
        ("linear", "metrics", {"n": 3, "confusion": [[1]]}),
        ("linear", "training/seconds", -1),
        ("linear", "splits/folds", -1),
        ("linear", "data/equal_by_chance", 2.0),
        ("linear", "data/label_reading", {"kind": "x"}),
        ("linear", "normalization/mean", [0.0]),
        ("linear", "arrays/held_out.labels", first(3)),
        ("linear", "arrays/held_out.unfamiliarity", lambda a: a[::-1].copy()),
        ("linear", "arrays/held_out.thresholds", first(2.0)),
        ("linear", "arrays/familiarity.scale", lambda a: -a),
        ("linear", "arrays/familiarity.spread", first(0.0)),
        ("linear", "arrays/trained_on.sketch", np.zeros((2, 2))),
        ("linear", "arrays/stand_ins.values", np.zeros(3)),
        ("regressor", "target_scale", [0.0]),
        ("regressor", "target_low", [1e9]),
        ("regressor", "labels", ["a"]),
        ("regressor", "network/settings/sizes", [4, 10**9, 1]),
        ("regressor", "network/settings/sizes", [4, 6, 1.0]),
        ("regressor", "network/settings/activation", 200),
        ("regressor", "network/settings/activation", ["relu"]),
        ("regressor", "data/name", "\udcff"),
        ("regressor", "arrays/held_out.residuals", lambda a: a[::-1].copy()),
        ("table", "arrays/theta.layer0", lambda a: a.T.copy()),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(kind: str, entry: str, value: Any, tmp_path: Path) -> None:
    load(DATA / f"recent_{kind}.likely")  # whatever is imported for it
    path, before = changed(kind, tmp_path, entry, value), reset_peak()
    with pytest.raises(ModelFileError, match=r"model\.likely|normalization"):
        load(path)
    assert peak() - before < 100e6


def test_parameters_too_large_to_compute_with_are_no_answer(tmp_path: Path) -> None:
    predictor = load(changed("linear", tmp_path, "arrays/theta.layer0", lambda a: np.where(a > 0, 1e308, -1e308)))
    with pytest.raises(DataError, match=r"scores of .* must be numbers"):
        predictor.predict(np.full((1, 4), 5.0))


def test_numbers_too_large_to_predict_are_no_answer(tmp_path: Path) -> None:
    predictor = load(changed("regressor", tmp_path, "arrays/theta.layer1", lambda a: np.full_like(a, 1e308)))
    with pytest.raises(DataError, match=r"scores of .* must be numbers"):
        predictor.predict(np.full((1, 4), 0.1))


@pytest.mark.parametrize(
    "name", ["numbers", "n_inputs", "n_outputs", "n_trees", "n_sums", "n_nodes", "n_sets", "depth"]
)
def test_settings_of_trees_are_whole_numbers(name: str) -> None:
    nothing = {
        "numbers": 1,
        "n_inputs": 1,
        "n_outputs": 2,
        "n_trees": 0,
        "n_sums": 1,
        "n_nodes": 0,
        "n_sets": 0,
        "depth": 0,
    }
    settings = nothing | {"indicated": [], "categories": [], "normalized": True}
    assert network_as_described("trees", settings).settings == settings
    with pytest.raises(ShapeError, match="whole numbers"):
        network_as_described("trees", settings | {name: float(nothing[name])})


def test_a_backbone_sees_images_of_the_side_that_it_was_made_for() -> None:
    made = {"mean": (0.0,) * 3, "scale": (1.0,) * 3, "edge": 0, "resampling": "bilinear"}
    TransformersLayout("vit", {"image_size": 32}, 32, **made)
    with pytest.raises(ValueError, match="side 31"):
        TransformersLayout("vit", {"image_size": 31}, 32, **made)


def test_hashes_of_rows_that_are_damaged_say_nothing(tmp_path: Path) -> None:
    path = changed("linear", tmp_path, "created", "")
    for content in (b"", b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((\n", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{"):
        (tmp_path / "row_hashes.npy").write_bytes(content)
        assert load(path).seen_in_training(np.zeros((1, 4))) is None
