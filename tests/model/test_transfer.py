"""Training that begins with parameters from a file: names, heads, prefixes, frozen layers, files that do not fit."""

import fnmatch
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from sklearn.datasets import load_digits, load_iris
from torch import nn
from typer.testing import CliRunner

import likely
from likely.cli.app import app
from likely.config import RunConfig
from likely.data.hashes import row_hashes
from likely.errors import ConfigError, DataError, EngineError, GuaranteeWarning, ModelFileError
from likely.model.init_from_file import Start, read_start
from likely.model.transfer import begun
from likely.networks.mlp import MLP
from likely.training.fit import fit

DIGITS = load_digits()
X = (DIGITS.images * 15).astype(np.uint8)
y = DIGITS.target
LOW, HIGH = y < 5, y >= 5
IRIS = load_iris(return_X_y=True)


class SmallNet(nn.Module):
    """Convolution, normalization, linear: what transfer has to do with, at its smallest."""

    def __init__(self, n_classes: int, channels: int = 16) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(2 * channels)
        self.fc = nn.Linear(2 * channels, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.norm1(self.conv1(x)))
        return self.fc(torch.relu(self.norm2(self.conv2(h))).amax((2, 3)))


def theta(clf: Any) -> dict[str, np.ndarray]:
    arrays = clf.predictor_.arrays
    return {name.removeprefix("theta."): a for name, a in arrays.items() if name.startswith("theta.")}


@pytest.fixture(scope="module")
def low(tmp_path_factory: pytest.TempPathFactory) -> tuple[likely.Classifier, Path]:
    """A network that knows the digits 0 to 4, and its file."""
    clf = likely.Classifier(network=SmallNet, epochs=8, learning_rate=1e-2, batch_size=32, random_state=0)
    clf.fit(X[LOW], y[LOW])
    return clf, clf.predictor_.save(tmp_path_factory.mktemp("low") / "model.likely")


def test_from_the_lower_digits_to_the_upper_ones(low: tuple[likely.Classifier, Path]) -> None:
    learned, path = low
    few, rest = np.flatnonzero(HIGH)[:60], np.flatnonzero(HIGH)[60:]
    settings: dict[str, Any] = {"network": SmallNet, "epochs": 25, "learning_rate": 1e-2, "random_state": 0}
    frozen = ["conv1.*", "norm1.*"]
    moved = likely.Classifier(**settings, init_from=path, freeze=frozen).fit(X[few], y[few])
    # The frozen layers, statistics included, are those of the file.
    for name, value in theta(learned).items():
        same = np.array_equal(theta(moved)[name], value)
        assert same == any(fnmatch.fnmatchcase(name, pattern) for pattern in frozen), name
    assert moved.score(X[rest], y[rest]) > 0.75
    training = moved.predictor_.card.training
    assert (training.init_from, training.freeze) == (str(path), tuple(frozen))


@pytest.mark.filterwarnings("ignore::likely.errors.GuaranteeWarning")  # rows that the file has seen, and few
def test_the_same_labels_keep_the_last_layer(low: tuple[likely.Classifier, Path]) -> None:
    learned, path = low
    # So small a rate that nothing moves: training begins, and ends, with what the file holds.
    settings: dict[str, Any] = {"network": SmallNet, "epochs": 1, "learning_rate": 1e-12, "random_state": 1}
    still = likely.Classifier(**settings, init_from=str(path)).fit(X[LOW], y[LOW])
    np.testing.assert_allclose(theta(still)["fc.weight"], theta(learned)["fc.weight"], atol=1e-6)
    with pytest.warns(
        GuaranteeWarning, match=r"last layer is reinitialized: '0', which it knows, can no longer be predicted"
    ):
        other = likely.Classifier(**settings, init_from=path).fit(X[LOW], y[LOW] + 1)
    assert np.abs(theta(other)["fc.weight"] - theta(learned)["fc.weight"]).max() > 0.05
    np.testing.assert_allclose(theta(other)["conv1.weight"], theta(learned)["conv1.weight"], atol=1e-6)


def test_rows_that_the_file_was_trained_on_are_told(low: tuple[likely.Classifier, Path], tmp_path: Path) -> None:
    first = tmp_path / "first"
    settings: dict[str, Any] = {"data": "digits", "network": "linear", "epochs": 1}
    fit(RunConfig(**settings, out=str(first)))
    card = fit(RunConfig(**settings, out=str(tmp_path / "second"), init_from=str(first))).predictor.card
    assert any("was trained on 1," in note and "has no guarantees" in note for note in card.data.notes)
    assert card.splits.method == "none"
    assert card.temperature is None


def warned(init_from: Path, rows: np.ndarray, labels: np.ndarray, **settings: Any) -> tuple[Any, str]:
    """A classifier that goes on from the file, and what it warned of."""
    clf = likely.Classifier(network="linear", epochs=3, random_state=0, init_from=init_from, verbose=False, **settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf.fit(rows, labels)
    return clf, " ".join(str(warning.message) for warning in caught)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[likely.Classifier, Path]:
    """A model of 700 rows of the digits, more than its sketch holds, and its file."""
    rows = DIGITS.data[:700].astype(np.float64)
    clf = likely.Classifier(network="linear", epochs=3, random_state=0, verbose=False).fit(rows, y[:700])
    return clf, clf.predictor_.save(tmp_path_factory.mktemp("first") / "model.likely")


def test_going_on_with_rows_that_the_start_has_seen_promises_nothing(first: tuple[Any, Path]) -> None:
    for rows in (slice(0, 700), slice(0, 300), slice(500, 1200)):  # all, some, and some beside new ones
        clf, says = warned(first[1], DIGITS.data[rows], y[rows])
        assert "was trained on" in says
        assert "not calibrated" in says
        assert clf.predictor_.card.temperature is None
        with pytest.raises(DataError, match="must rest on held-out rows"):
            clf.predict_set(DIGITS.data[:5])
    regressor = likely.Regressor(network="mlp", epochs=3, random_state=0, verbose=False)
    file = regressor.fit(DIGITS.data[:200], y[:200]).predictor_.save(first[1].with_name("r.likely"))
    again = likely.Regressor(network="mlp", epochs=3, random_state=0, init_from=file, verbose=False)
    with pytest.warns(GuaranteeWarning, match="was trained on 150 of these 150 rows"):
        again.fit(DIGITS.data[:150], y[:150])
    assert again.predictor_.residuals is None


def test_going_on_with_new_rows_promises_what_it_always_does(first: tuple[Any, Path]) -> None:
    clf, says = warned(first[1], DIGITS.data[700:1200], y[700:1200])
    assert says == ""
    assert clf.predictor_.card.splits.method == "cross-validation"
    # A model of a model: all rows of both are known to it.
    file = clf.predictor_.save(first[1].with_name("second.likely"))
    for rows in (slice(0, 700), slice(700, 1200)):
        assert "not calibrated" in warned(file, DIGITS.data[rows], y[rows])[1]


def test_where_all_rows_of_the_start_are_known_new_ones_are_held_out(first: tuple[Any, Path], tmp_path: Path) -> None:
    hashes = row_hashes(DIGITS.data[:700])
    model = tmp_path / "model.likely"
    model.write_bytes(first[1].read_bytes())
    np.save(tmp_path / "row_hashes.npy", np.sort(hashes))
    clf, says = warned(model, DIGITS.data[300:1200], y[300:1200])
    assert "was trained on 400 of these 900 rows; 200 that it has not seen are held out" in says
    splits = clf.predictor_.card.splits
    assert (splits.method, splits.train, splits.calibration, splits.thresholds) == ("held-out", 700, 100, 100)
    held_out = np.isin(row_hashes(DIGITS.data[300:1200]), clf.predictor_.trained_on, invert=True)
    assert held_out.sum() == 200
    assert not np.isin(row_hashes(DIGITS.data[300:1200][held_out]), hashes).any()
    # Hashes of another model say nothing.
    np.save(tmp_path / "row_hashes.npy", np.sort(hashes + np.uint64(1)))
    assert "not calibrated" in warned(model, DIGITS.data[300:1200], y[300:1200])[1]


def test_rows_that_were_held_out_stay_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(5200, 4))
    labels = (rows @ rng.normal(size=(4, 3)) + rng.gumbel(size=(5200, 3))).argmax(axis=1)
    clf = likely.Classifier(network="linear", epochs=1, random_state=0, verbose=False).fit(rows, labels)
    file = clf.predictor_.save(tmp_path / "model.likely")
    np.save(tmp_path / "row_hashes.npy", np.sort(clf.predictor_.trained_on))
    again, says = warned(file, rows, labels)
    before, after = clf.predictor_.card.splits, again.predictor_.card.splits
    assert after.calibration + after.thresholds == before.calibration + before.thresholds
    assert after.train == before.train
    np.testing.assert_array_equal(np.sort(again.predictor_.trained_on), np.sort(clf.predictor_.trained_on))
    assert "that it has not seen are held out" in says


def test_codes_that_are_equal_by_chance_are_no_rows_that_were_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(3, size=(400, 2)).astype(np.float64)
    labels = (rows.sum(axis=1) + rng.integers(2, size=400) > 2).astype(int)
    clf = likely.Classifier(network="linear", epochs=2, random_state=0, verbose=False).fit(rows[:200], labels[:200])
    file = clf.predictor_.save(tmp_path / "model.likely")
    assert warned(file, rows[200:], labels[200:])[1] == ""
    assert "not calibrated" in warned(file, rows[:200], labels[:200])[1]  # the very same data


def test_standardization_and_labels_are_kept(first: tuple[Any, Path]) -> None:
    old = first[0].predictor_.card
    rows, labels = DIGITS.data[700:1200], y[700:1200]
    some = labels != 3
    clf, says = warned(first[1], 3 * rows[some] + 5, labels[some])
    assert "No row has a label of '3'" in says
    assert clf.classes_.tolist() == list(range(10))
    assert clf.predictor_.card.labels == old.labels
    assert clf.predictor_.card.unseen == {}
    assert clf.predictor_.card.normalization == old.normalization
    assert clf.predict_proba(rows).shape == (500, 10)
    soft = np.eye(9)[np.searchsorted(np.unique(labels[some]), labels[some])]
    shares = likely.Classifier(network="linear", epochs=3, random_state=0, init_from=first[1], verbose=False)
    with pytest.warns(GuaranteeWarning, match="No row has a label of '3'"):
        shares.fit(rows[some], soft, classes=np.unique(labels[some]))
    assert shares.classes_.tolist() == list(range(10))
    anew, says = warned(first[1], 3 * rows[some] + 5, labels[some], init_keep="parameters")
    assert says == ""
    assert anew.classes_.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert anew.predictor_.card.normalization != old.normalization
    # Labels that the model does not know: the last layer begins anew, the rest is kept.
    _, says = warned(first[1], rows[some], np.where(labels[some] == 4, 40, labels[some]))
    assert "last layer is reinitialized: '3', '4', which it knows, can no longer be predicted" in says


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_any_safetensors_file_with_a_prefix_and_another_head(tmp_path: Path, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    module = SmallNet(1000).to(dtype)
    module.norm1.running_mean += 0.5
    path = tmp_path / "pretrained.safetensors"
    counters = {name for name in module.state_dict() if name.endswith("num_batches_tracked")}
    state = {f"module.model.{n}": v.contiguous() for n, v in module.state_dict().items() if n not in counters}
    safetensors.torch.save_file(state, path)
    clf = likely.Classifier(network=SmallNet, init_from=path, freeze=["conv*", "norm?.*"], epochs=1, random_state=0)
    found = theta(clf.fit(X[:200], y[:200]))
    for name in ("conv1.weight", "norm1.running_mean", "norm2.weight"):
        np.testing.assert_array_equal(found[name], module.state_dict()[name].float().numpy(), err_msg=name)
    assert found["fc.weight"].shape == (10, 32)
    # Without its head it is as good.
    safetensors.torch.save_file({n: v for n, v in state.items() if ".fc." not in n}, path)
    again = theta(clf.fit(X[:200], y[:200]))
    np.testing.assert_array_equal(again["fc.weight"], found["fc.weight"])


@pytest.mark.filterwarnings("ignore::likely.errors.GuaranteeWarning")  # rows that the file has seen, and few
def test_our_networks_begin_with_a_file_too(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 1, "random_state": 0}
    some, other = np.flatnonzero(LOW)[:60], np.flatnonzero(HIGH)[:60]
    conv = likely.Classifier(**settings, preset="balanced").fit(X[some], y[some])
    path = conv.predictor_.save(tmp_path / "m.likely")
    # The width is the file's, whatever the preset says; the first layer is the stored one, not this data's.
    moved = likely.Classifier(**settings, init_from=path, freeze=["blocks.0.*"]).fit(X[other] // 2, y[other])
    assert moved.predictor_.card.network.settings == conv.predictor_.card.network.settings
    for name in ("whiten.weight", "blocks.0.conv1.weight", "blocks.0.norm1.running_var"):
        np.testing.assert_array_equal(theta(moved)[name], theta(conv)[name])
    assert (theta(moved)["blocks.1.conv1.weight"] != theta(conv)["blocks.1.conv1.weight"]).any()

    rows, labels = IRIS[0][::8], IRIS[1][::8]  # too few for folds: one training each
    first = likely.Classifier(network="mlp", hidden=(7,), **settings).fit(rows, labels)
    file = first.predictor_.save(tmp_path / "mlp.likely")
    for engine in ("numpy", "jax", "torch"):
        still: dict[str, Any] = {**settings, "network": "mlp", "learning_rate": 1e-12, "engine": engine}
        second = likely.Classifier(**still, init_from=file).fit(rows, labels)
        np.testing.assert_allclose(theta(second)["layer0"], theta(first)["layer0"], atol=1e-6)
        two = likely.Classifier(**still, init_from=file).fit(rows, labels > 0)
        assert theta(two)["layer1"].shape == (8, 2)
        np.testing.assert_allclose(theta(two)["layer0"], theta(first)["layer0"], atol=1e-6)


@pytest.mark.filterwarnings("ignore::likely.errors.GuaranteeWarning")  # rows that the file has seen, and few
def test_regression_begins_with_a_file_too(tmp_path: Path) -> None:
    rows = IRIS[0]
    settings: dict[str, Any] = {"network": "linear", "epochs": 1, "learning_rate": 1e-12, "random_state": 0}
    exact = likely.Regressor(network="linear").fit(rows[:, :3], rows[:, 3])
    path = exact.predictor_.save(tmp_path / "m.likely")
    still = likely.Regressor(**settings, init_from=path).fit(rows[:, :3], rows[:, 3])
    np.testing.assert_allclose(still.predict(rows[:, :3]), exact.predict(rows[:, :3]), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("conv2.weight"), r"got missing: 'conv2.weight'\."),
        (lambda state: state.update(extra=torch.zeros(2)), r"unexpected: 'extra'"),
        (
            lambda state: state.update({"conv1.weight": torch.zeros(16, 3, 3, 3)}),
            r"'conv1.weight' \(16, 3, 3, 3\) in place of \(16, 1, 3, 3\)",
        ),
        (lambda state: state.update({"norm1.bias": torch.full((16,), torch.nan)}), r"NaN or infinity in 'norm1.bias'"),
    ],
)
def test_what_does_not_fit_is_listed(tmp_path: Path, change: Any, says: str) -> None:
    state = SmallNet(10).state_dict()
    change(state)
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(state, path)
    with pytest.raises(ModelFileError, match=says) as caught:
        likely.Classifier(network=SmallNet, init_from=path).fit(X, y)
    assert str(path) in str(caught.value)


def test_long_lists_are_cut_short() -> None:
    state = {f"a{i}": np.zeros(1) for i in range(20)}
    with pytest.raises(ModelFileError, match="'a7' and 12 more"):
        begun(state, Start("w", {"b": np.zeros(1)}), [])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"PK\x03\x04 a zip archive", r"\.pt.*can run code"),
        (b"", "another kind"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{}", "whole safetensors file"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00[]", "another kind"),
    ],
)
def test_files_of_other_kinds(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelFileError, match=says):
        read_start(path)


def test_a_dtype_without_a_name_in_numpy(tmp_path: Path) -> None:
    safetensors.torch.save_file({"a": torch.zeros(2).to(torch.float8_e4m3fn)}, tmp_path / "w.safetensors")
    with pytest.raises(ModelFileError, match="F8_E4M3"):
        read_start(tmp_path / "w.safetensors")


def test_patterns_that_match_nothing_list_the_names() -> None:
    with pytest.raises(ConfigError, match=r"'conv3\.\*', which matches none. Did you mean|Choose from 'conv1.weight'"):
        likely.Classifier(network=SmallNet, freeze=["conv1.*", "conv3.*"]).fit(X, y)
    with pytest.raises(EngineError, match="parameters that learn; got none"):
        likely.Classifier(network=SmallNet, freeze=["*"]).fit(X, y)
    with pytest.raises(EngineError, match=r"layers to freeze.*engine='torch'"):
        likely.Classifier(network="linear", engine="numpy", freeze=["layer0"]).fit(*IRIS)


def test_a_frozen_layer_of_a_pure_network_stays() -> None:
    rows, labels = IRIS
    clf = likely.Classifier(network="mlp", hidden=(4,), freeze=["layer0"], epochs=3, random_state=0).fit(rows, labels)
    assert clf.predictor_.card.training.engine == "torch"
    first = MLP([4, 4, 3], "gelu").init(0)
    np.testing.assert_array_equal(theta(clf)["layer0"], first["layer0"])
    assert (theta(clf)["layer1"] != first["layer1"]).any()


def test_the_command_line(tmp_path: Path, low: tuple[likely.Classifier, Path]) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["fit", "digits", "--epochs", "1", "--out", str(tmp_path / "run"), *arguments])

    some = np.flatnonzero(LOW)[:60]
    conv = likely.Classifier(epochs=1, random_state=0).fit(X[some], y[some])
    path = conv.predictor_.save(tmp_path / "m.likely")
    done = run("--init-from", str(path), "--freeze", "blocks.0.*,blocks.1.conv1.weight", "--augment", "shift,cutout")
    assert done.exit_code == 0, done.stderr
    shown = CliRunner().invoke(app, ["inspect", str(tmp_path / "run")]).output
    assert "shift, cutout" in shown
    assert "blocks.0.*, blocks.1.conv1.weight" in shown
    failed = run("--overwrite", "--init-from", str(low[1]))
    assert failed.exit_code == 1
    assert "missing: 'whiten.weight'" in failed.stderr
    failed = run("--overwrite", "--augment", "shfit")
    assert failed.exit_code != 0
    assert "Did you mean 'shift'" in failed.stderr


@pytest.fixture(scope="module")
def of_table(tmp_path_factory: pytest.TempPathFactory) -> tuple[likely.Classifier, np.ndarray, np.ndarray, str]:
    X = np.random.default_rng(0).normal(size=(200, 4))
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    clf = likely.Classifier(network="linear", random_state=0).fit(X, y)
    return clf, X, y, str(clf.predictor_.save(tmp_path_factory.mktemp("table") / "model.likely"))


@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_other_columns_are_refused(of_table: tuple[Any, ...], network: str) -> None:
    _, X, y, path = of_table
    for rows, got in (
        (X[:, :3], "3 columns"),
        (np.c_[X, X], "8 columns"),
        (np.zeros((200, 8, 8), np.uint8), "images"),
    ):
        for keep in ("all", "parameters"):
            with pytest.raises(ModelFileError, match=f"4 columns; got {got}"):
                likely.Classifier(network=network, init_from=path, init_keep=keep, epochs=1).fit(rows, y)


def test_that_no_label_is_known_is_said(of_table: tuple[Any, ...]) -> None:
    _, X, y, path = of_table
    new = np.random.default_rng(1).normal(size=X.shape)
    with pytest.warns(GuaranteeWarning, match=r"Nothing can be reused.*'0', '1', '2'.*'a', 'b', 'c'"):
        likely.Classifier(network="linear", init_from=path, epochs=1).fit(new, np.array(["a", "b", "c"])[y])


def test_a_model_in_place_of_its_file_is_told_how_to_save_it(of_table: tuple[Any, ...]) -> None:
    clf, X, y, _ = of_table
    for given in (clf, clf.predictor_):
        with pytest.raises(ConfigError, match=r"\.save\(path\)"):
            likely.Classifier(network="linear", init_from=given).fit(X, y)
