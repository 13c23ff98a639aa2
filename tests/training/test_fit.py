"""The whole story on real data."""

import json
from pathlib import Path

import numpy as np
import pytest

import likely
from likely.config import RunConfig
from likely.data.dataset import Dataset
from likely.errors import ConfigError, DataError, EngineError, OutputError
from likely.training.fit import Run, fit
from likely.training.open_data import open_data


def test_a_short_real_fit_learns_and_is_calibrated(fashion: Dataset, tmp_path: Path) -> None:
    # A third of an epoch of the fast preset: a tenth of its time, which processors without bfloat16 need, too.
    run = fit(RunConfig(data="fashion-mnist", epochs=0.3, out=str(tmp_path / "run")))
    assert run.evaluation.accuracy.value >= 0.80
    assert run.evaluation.nll.value <= 0.55
    assert run.evaluation.ece.value <= 0.03
    splits = run.predictor.card.splits
    assert (splits.train, splits.calibration, splits.thresholds, splits.test) == (55_200, 2_400, 2_400, 10_000)
    assert run.predictor.card.data.sha256 == fashion.sha256
    history = [json.loads(line) for line in (run.folder / "history.jsonl").read_text().splitlines()]
    assert history[-1]["progress"] == 1.0
    assert history[-1]["held_out"]["accuracy"] > 0.78
    assert [record["step"] for record in history] == sorted(record["step"] for record in history)


@pytest.mark.parametrize("network", ["conv", "mlp"])
def test_a_seed_repeats_a_run_bit_for_bit(network: str, tmp_path: Path) -> None:
    runs = [
        fit(RunConfig(data="digits", network=network, epochs=1, seed=seed, out=str(tmp_path / name)))  # pyright: ignore
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    np.testing.assert_array_equal(runs[0].answers, runs[1].answers)
    assert not np.array_equal(runs[0].answers, runs[2].answers)


def test_the_run_folder_holds_everything(digits_run: Run) -> None:
    names = {path.name for path in digits_run.folder.iterdir()}
    assert names == {"model.likely", "metrics.json", "history.jsonl", "config.json", "row_hashes.npy"}
    config = RunConfig.from_json(json.loads((digits_run.folder / "config.json").read_text()))
    assert (config.data, config.network, config.epochs) == ("digits", "linear", 10)


def test_the_configuration_of_a_run_reproduces_it(digits_run: Run, tmp_path: Path) -> None:
    config = RunConfig.from_json(json.loads((digits_run.folder / "config.json").read_text()))
    again = fit(config.replace(out=str(tmp_path / "again")))
    np.testing.assert_array_equal(again.answers, digits_run.answers)


def test_a_run_is_never_overwritten_unasked(digits_run: Run) -> None:
    before = (digits_run.folder / "model.likely").read_bytes()
    with pytest.raises(OutputError, match="already holds"):
        fit(RunConfig(data="digits", out=str(digits_run.folder)))
    assert (digits_run.folder / "model.likely").read_bytes() == before


def test_data_without_a_test_part_lends_a_fifth(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for label, low in (("dark", 0), ("light", 128)):
        (tmp_path / label).mkdir()
        for i in range(20):
            image = rng.integers(low, low + 127, (10, 12), dtype=np.uint8)
            Image.fromarray(image).save(tmp_path / label / f"{i}.png")
    dataset = open_data(RunConfig(data=str(tmp_path)))
    assert dataset.test is not None
    assert (len(dataset.train), len(dataset.test)) == (32, 8)
    assert np.bincount(dataset.test.y).tolist() == [4, 4]
    assert set(dataset.train.paths or ()).isdisjoint(dataset.test.paths or ())


def test_regression_is_refused_for_names_and_taken_for_numbers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="numeric targets"):
        fit(RunConfig(data="iris", task="regression", out=str(tmp_path / "a")))
    with pytest.raises(DataError, match="labels"):
        fit(RunConfig(data="diabetes", task="classification", out=str(tmp_path / "b")))
    run = fit(RunConfig(data="digits", task="regression", network="linear", out=str(tmp_path / "c")))
    assert set(run.evaluation.to_json()) >= {"n", "mse", "mae", "r2"}
    assert 0.3 < run.evaluation.r2.value < 1


def test_engines_and_networks_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="torch"):
        fit(RunConfig(data="digits", network="conv", engine="numpy", out=str(tmp_path / "a")))
    with pytest.raises(ConfigError, match="images"):
        fit(RunConfig(data="iris", network="conv", out=str(tmp_path / "b")))


def test_any_size_of_padding(tmp_path: Path) -> None:
    run = fit(RunConfig(data="digits", network="linear", pad_to=12, epochs=5, out=str(tmp_path / "run")))
    assert likely.load(run.folder).card.network.settings["n_inputs"] == 144
