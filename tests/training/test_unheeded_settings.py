"""Settings that would have no effect on these data, or on this network, are refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likely.config import RunConfig
from likely.data.sources import open_configured
from likely.errors import LikelyError
from likely.training.choose_plan import choose_plan
from likely.training.fit import learn
from likely.training.open_data import open_data
from likely.training.task import TASKS

OF_COLUMNS: dict[str, Any] = {
    "label": "y",
    "image": "a",
    "group": "b",
    "test_last": "a",
    "ignore": ("a",),
    "categories": ("b",),
    "numbers": ("a",),
    "keep": ("a",),
    "missing": ("NA",),
    "decimal": "point",
    "encoding": "latin-1",
    "header": False,
}
OF_IMAGE_FILES: dict[str, Any] = {"image_size": 8, "skip_bad": True}
OF_LABELS: dict[str, Any] = {"events": {"e": ("yes",)}, "class_weight": "balanced", "head": "l1"}
UNHEEDED: dict[str, dict[str, Any]] = {
    "digits": {**OF_COLUMNS, **OF_IMAGE_FILES, "data_folder": "x", "group_by_folder": True, "test_share": 0.3},
    "rows.npz": {**OF_COLUMNS, **OF_IMAGE_FILES, "data_folder": "x", "group_by_folder": True, "extrapolate": True},
    "folder": {**OF_COLUMNS, "data_folder": "x", "extrapolate": True},
    "table.csv": {**OF_IMAGE_FILES, "data_folder": "x", "group_by_folder": True, "extrapolate": True},
    "table.parquet": {"encoding": "latin-1", "header": False},
    "numbers.csv": {**OF_IMAGE_FILES, **OF_LABELS},
}
PLANS: list[tuple[str, str, bool, dict[str, Any]]] = [
    ("conv", "classification", True, {"hidden": (7,), "activation": "tanh"}),
    ("linear", "classification", False, {"pad_to": 9, "precision": "bfloat16", "augment": ("shift",)}),
    ("mlp", "regression", False, {"pad_to": 9, "precision": "bfloat16"}),
    ("trees", "classification", False, {"optimizer": "sgd", "batch_size": 16, "engine": "jax", "freeze": ("x",)}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=40), "b": rng.choice(["u", "v"], 40)})
    labels = np.where(X.a > 0, "yes", "no")
    X.assign(y=labels).to_csv(found / "table.csv", index=False)
    X.assign(y=labels).to_parquet(found / "table.parquet")
    X.assign(y=X.a + rng.normal(size=40)).to_csv(found / "numbers.csv", index=False)
    np.savez(found / "rows.npz", X=rng.normal(size=(40, 3)), y=labels)
    for label in ("yes", "no"):
        (found / "folder" / label).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(found / "folder" / label / f"{i}.png")
    return found


@pytest.mark.parametrize(("data", "settings"), UNHEEDED.items(), ids=UNHEEDED)
def test_settings_that_data_have_no_use_for(folder: Path, data: str, settings: dict[str, Any]) -> None:
    path = data if data == "digits" else str(folder / data)
    open_data(RunConfig(data=path))
    for name, value in settings.items():
        with pytest.raises(LikelyError) as caught:
            open_configured(RunConfig(data=path, **{name: value}))
        words = {name, name.replace("_", " "), "Grouping by folder", "A data folder", "A group column"}
        assert any(word in str(caught.value) for word in words), (name, str(caught.value))


@pytest.mark.parametrize(("network", "task", "images", "settings"), PLANS, ids=lambda value: str(value)[:20])
def test_settings_that_a_network_has_no_use_for(
    network: str, task: str, images: bool, settings: dict[str, Any]
) -> None:
    def plan(**more: Any) -> None:
        shape = (8, 8) if images else (5,)
        config = RunConfig(network="auto" if network == "conv" else network, **more)
        choose_plan(config, row_shape=shape, n_rows=100, n_outputs=3, task=TASKS[task], hflip=False)

    plan()
    for name, value in settings.items():
        with pytest.raises(LikelyError, match=name):
            plan(**{name: value})


def test_settings_that_need_another_one(folder: Path) -> None:
    config = RunConfig(data=str(folder / "numbers.csv"), network="mlp")
    dataset = open_data(config)
    with pytest.raises(LikelyError, match="init_keep must come with init_from"):
        learn(dataset, config.replace(init_keep="parameters"))
    with pytest.raises(LikelyError, match="extrapolate must come with a mixture"):
        learn(dataset, config.replace(extrapolate=True))
