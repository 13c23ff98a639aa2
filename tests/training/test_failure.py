"""Trainings that went wrong say so, with a step and a rate to try; data without a signal are no failure."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from typer.testing import CliRunner

import likely
from likely.cli.app import app
from likely.errors import DivergenceError, GuaranteeWarning
from likely.training.loop.failure import check_training, cost_of_knowing_nothing, nothing_learned

DIGITS = load_digits()
X, y = DIGITS.data, DIGITS.target
IMAGES = (DIGITS.images * 15).astype(np.uint8)
SAYS = r"step \d+ .*Try a learning rate of \d|\d+ steps.*Try a learning rate of \d"


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({"network": "mlp"}, 100.0),
        ({"network": "mlp", "engine": "torch"}, 10.0),
        ({"network": "mlp", "optimizer": "sgd"}, 1e4),
        ({"network": "mlp", "loss": "squared_error", "activation": "relu"}, 100.0),
    ],
)
def test_a_rate_that_is_too_high_is_an_error(settings: dict[str, Any], rate: float) -> None:
    clf = likely.Classifier(**settings, learning_rate=rate, epochs=5, random_state=0, verbose=False)
    with pytest.raises(DivergenceError, match=SAYS) as caught, np.errstate(all="ignore"):
        clf.fit(X[:600], y[:600])
    assert caught.value.step >= 1


def test_a_conv_net_and_a_regressor_say_so_too() -> None:
    clf = likely.Classifier(learning_rate=100, epochs=2, random_state=0, verbose=False)
    with pytest.raises(DivergenceError, match=SAYS):
        clf.fit(IMAGES[:300], y[:300])
    regressor = likely.Regressor(network="mlp", learning_rate=30, epochs=5, random_state=0, verbose=False)
    with pytest.raises(DivergenceError, match=SAYS), np.errstate(all="ignore"):
        regressor.fit(X[:600], X[:600].sum(axis=1))


def test_the_command_line_ends_with_an_error(tmp_path: Any) -> None:
    arguments = [
        "fit",
        "digits",
        "--network",
        "mlp",
        "--learning-rate",
        "100",
        "--epochs",
        "2",
        "--out",
        str(tmp_path / "r"),
    ]
    with np.errstate(all="ignore"):
        done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "Try a learning rate of" in done.stderr.replace("\n", " ")
    assert not (tmp_path / "r" / "model.likely").exists()


@pytest.mark.parametrize("network", ["mlp", "linear"])
@pytest.mark.parametrize("rate", [None, 0.1, 1e-6])
def test_labels_without_a_signal_are_no_failure(network: str, rate: float | None) -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(400, 10)), rng.choice(3, size=400, p=[0.7, 0.2, 0.1])
    clf = likely.Classifier(network=network, learning_rate=rate, random_state=0, verbose=False).fit(rows, labels)
    nll = likely.metrics.log_loss(clf.predict_proba(rng.normal(size=(400, 10))), rng.choice(3, 400, p=[0.7, 0.2, 0.1]))
    assert nll < 1.0 if rate != 1e-6 else np.isfinite(nll)
    regressor = likely.Regressor(network="mlp", learning_rate=rate, random_state=0, verbose=False)
    regressor.fit(rows, rng.normal(size=400))


def test_what_is_refused_and_what_is_not() -> None:
    nothing = cost_of_knowing_nothing(np.eye(3), None, "cross_entropy")
    assert nothing == pytest.approx(np.log(3))
    assert cost_of_knowing_nothing(np.array([[1.0], [3.0]]), np.array([3.0, 1.0]), "squared_error") == 0.75

    def refused(first: float, losses: list[float], **settings: Any) -> bool:
        entries = [(10 * (i + 1), loss) for i, loss in enumerate(losses)]
        settings = {"rate": 0.1, "usual": 0.1, **settings}
        try:
            check_training(first, entries, losses[-1], nothing, **settings)
        except DivergenceError as error:
            return f"step {error.step} " in str(error) or f"{error.step} steps" in str(error)
        return False

    assert refused(1.2, [2.0, 1e48])
    assert refused(1.2, [1.3, 1.5, 1.9])
    assert refused(1.2, [20.0])
    assert refused(1.2, [np.inf])
    # One that ends below its beginning, or below the cost of knowing nothing, whatever came in between.
    assert not refused(5.0, [1e9, 2.0, 1.0])
    assert not refused(0.01, [0.5, 0.05, 0.9])  # a start from a file that knew the rows
    assert not refused(1.2, [1.6])  # after few steps nothing has settled
    assert not refused(1.2, [1.2, 1.15, 1.11])
    # At a rate far above the usual one it must at least know what needs no rows.
    assert not refused(9.0, [5.0, 2.0])
    assert refused(9.0, [5.0, 2.0], rate=2.0)
    assert not refused(1.2, [1.2, 1.1], rate=2.0)
    assert refused(1.2, [1.2, 1.1], rate=2.0, answers_alike=True)
    assert not refused(1.2, [1.2, 1.1], answers_alike=True)


def three_classes(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, n)
    return 3.0 * np.eye(3)[classes] + rng.normal(size=(n, 3)), classes


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"learning_rate": 1e-9}, r"Try a larger learning rate: 1e-09 is far below the usual"),
        ({"epochs": 0.001}, r"Try more epochs: there was 1 step\."),
    ],
)
def test_a_training_that_ends_at_chance_says_so(settings: dict[str, Any], cause: str) -> None:
    clf = likely.Classifier(network="linear", random_state=0, verbose=False, **settings)
    with pytest.warns(GuaranteeWarning, match=rf"Nothing was learned from these rows: .* {cause}"):
        clf.fit(*three_classes())
    assert any(note.startswith("Nothing was learned") for note in clf.predictor_.card.data.notes)


def test_a_training_that_learns_says_nothing() -> None:
    clf = likely.Classifier(network="linear", random_state=0, verbose=False).fit(*three_classes(200))
    assert not any("learned" in note for note in clf.predictor_.card.data.notes)


def test_a_regressor_at_chance_says_so() -> None:
    rows, _ = three_classes(100)
    regressor = likely.Regressor(network="mlp", learning_rate=1e-9, epochs=1, random_state=0, verbose=False)
    with pytest.warns(GuaranteeWarning, match="Nothing was learned"):
        regressor.fit(rows, rows.sum(axis=1))


def test_the_command_line_says_that_nothing_was_learned(tmp_path: Any) -> None:
    rows, classes = three_classes(200)
    np.savez(tmp_path / "rows.npz", X=rows, y=classes)
    options = ["--network", "linear", "--learning-rate", "1e-9", "--epochs", "1", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(app, ["fit", str(tmp_path / "rows.npz"), *options])
    assert done.exit_code == 0
    assert "Warning: Nothing was learned" in " ".join(done.output.split())


def test_what_is_not_better_than_knowing_nothing() -> None:
    Y = np.eye(2)[[0, 0, 1, 1] * 25]
    chance = np.log(2)
    for loss, said in ((0.2, False), (chance - 0.02, False), (chance - 0.005, True), (chance, True), (5.0, True)):
        found = nothing_learned(np.full(100, loss), Y, None, "cross_entropy", fitted=1)
        assert (found is not None) == said
    at_bound = nothing_learned(np.full(100, 0.2), Y, None, "cross_entropy", at_bound=True)
    assert at_bound is not None
    assert "no temperature within its bounds" in at_bound
    same = np.eye(2)[[0] * 10]
    assert nothing_learned(np.zeros(10), same, None, "cross_entropy") is None
