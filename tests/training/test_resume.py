"""A run that is killed goes on, and ends with the same bytes as one that never was."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from torch import nn, optim
from typer.testing import CliRunner

from likely import Classifier
from likely.arrays import one_hot
from likely.cli.app import app
from likely.config import RunConfig
from likely.engines import create_engine
from likely.engines.by_hand import ByHand
from likely.engines.protocol import Batch, Engine, Optimizer
from likely.errors import ConfigError, DataError, ModelFileError, OutputError
from likely.model import file as model_file
from likely.model.folder_lock import one_writer
from likely.model.run_folder import CHECKPOINTS
from likely.networks.mlp import MLP
from likely.training.cross_validate import cross_validate
from likely.training.fit import fit
from likely.training.job import Job
from likely.training.loop.pace import Stopwatch
from likely.training.resume import basis
from likely.training.resume.journal import Journal
from likely.training.resume.lengths import read_lengths
from likely.training.resume.packed import pack, unpack
from likely.training.task import CLASSIFICATION
from likely.training.training_rows import Rows
from likely.training.watcher import Silent

SGD: dict[str, Any] = {"data": "iris", "network": "linear", "optimizer": "adam", "epochs": 6}
RUNS: dict[str, dict[str, Any]] = {
    "descents by hand, averaged": SGD,
    "descents by torch": {"data": "iris", "network": "mlp", "engine": "torch", "epochs": 6},
    "L-BFGS": {"data": "iris", "network": "linear"},
    "a mixture": {"data": "iris", "network": "mixture"},
}


class Listening(Silent):
    """A watcher who remembers all sentences."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


class Killed(BaseException):
    """What nothing catches."""


def result(folder: Path) -> dict[str, bytes]:
    """What a run must come to: every array and figure."""
    arrays, _ = model_file.read(folder / "model.likely")
    return {name: array.tobytes() for name, array in arrays.items()} | {
        "metrics": (folder / "metrics.json").read_bytes()
    }


def killed_after(writings: int, run: Callable[[], object], of: tuple[str, ...] = ("training", "checkpoint")) -> None:
    """A run that ends as if it were killed after so many files of finished trainings, or checkpoints."""
    left, write = iter(range(writings - 1)), Journal._write

    def killing(self: Journal, *what: Any) -> Path:
        written = write(self, *what)
        if what[1] in of and next(left, None) is None:
            raise Killed
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "_write", killing)
        patch.setattr("likely.training.resume.journal.USUAL", 0.0)
        patch.setattr("likely.training.resume.journal._LEAST_TIMES", 0)
        with pytest.raises(Killed):
            run()


def begin(folder: Path) -> None:
    """A run that is killed."""
    killed_after(4, lambda: fit(RunConfig(out=str(folder), checkpoint_every=1e-3, **SGD)), of=("checkpoint",))


@pytest.mark.parametrize("name", RUNS)
def test_the_same_bytes_after_two_kills(name: str, tmp_path: Path) -> None:
    settings = RUNS[name]
    fit(RunConfig(out=str(tmp_path / "whole"), **settings))
    chosen = RunConfig(out=str(tmp_path / "killed"), checkpoint_every=1e-3, **settings)
    for writings in (1, 2):
        killed_after(writings, lambda: fit(chosen, resume=True))
        assert list((tmp_path / "killed" / CHECKPOINTS).iterdir())
    fit(chosen.replace(checkpoint_every=None), resume=True)
    assert result(tmp_path / "killed") == result(tmp_path / "whole")
    assert not (tmp_path / "killed" / CHECKPOINTS).exists()


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from likely.config import RunConfig
from likely.training.fit import fit

folder, settings = Path(sys.argv[1]), eval(sys.argv[2])
chosen = RunConfig(out=str(folder / "killed"), checkpoint_every=1e-3, **settings)
fit(chosen.replace(out=str(folder / "whole")))
began = time.perf_counter()
fit(chosen.replace(out=str(folder / "again")))
seconds, rng, killed = time.perf_counter() - began, random.Random(0), 0
for _ in range(6):
    child = os.fork()
    if child == 0:
        fit(chosen, resume=True)
        os._exit(0)
    time.sleep(seconds * rng.uniform(0.1, 0.6))
    os.kill(child, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    if (folder / "killed/model.likely").exists():
        break
else:
    fit(chosen, resume=True)
print(killed)
"""


def test_killed_by_the_system_at_any_moment(tmp_path: Path) -> None:
    """In forks of a new process, which need not load anything again, and has no threads of other tests."""
    settings = repr({**SGD, "epochs": 20})
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), settings], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 0
    assert result(tmp_path / "killed") == result(tmp_path / "whole")


def test_without_the_memory_of_the_update_rule_the_bytes_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(RunConfig(out=str(tmp_path / "whole"), **SGD))
    begin(tmp_path / "killed")
    restore = ByHand.restore
    monkeypatch.setattr(ByHand, "restore", lambda self, kept: restore(self, {**kept, "m": kept["m"] * 0}))
    fit(RunConfig(out=str(tmp_path / "killed"), **SGD), resume=True)
    assert result(tmp_path / "killed") != result(tmp_path / "whole")


def test_a_damaged_checkpoint_is_as_good_as_none(tmp_path: Path) -> None:
    fit(RunConfig(out=str(tmp_path / "whole"), **SGD))
    begin(tmp_path / "killed")
    *_, newest = sorted((tmp_path / "killed" / CHECKPOINTS).glob("checkpoint-*"))
    newest.write_bytes(newest.read_bytes()[:-1])
    fit(RunConfig(out=str(tmp_path / "killed"), **SGD), resume=True)
    assert result(tmp_path / "killed") == result(tmp_path / "whole")


@pytest.mark.parametrize("engine", ["numpy", "torch", "jax"])
def test_an_engine_goes_on_from_what_another_one_told(engine: str) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(32, 4)).astype(np.float32), one_hot(rng.integers(0, 3, 32), 3, np.float32)
    batches = [Batch(rng.permutation(32)[:8]) for _ in range(5)]

    def made() -> Engine:
        found = create_engine(
            engine,
            MLP([4, 8, 3], "relu"),
            n_outputs=3,
            head="softmax",
            loss="cross_entropy",
            optimizer=Optimizer(weight_decay=0.1),
            sample=X,
            seed=0,
            dtype="float32",
            device="cpu",
            precision="float32",
        )
        found.place(X, Y, prepare=lambda x: x)
        return found

    whole, other = made(), made()
    for number, batch in enumerate(batches):
        if number == 3:
            other.restore(unpack(*pack(whole.snapshot())))
        whole.step(batch, 0.1)
        if number >= 3:
            other.step(batch, 0.1)
    for name, array in whole.state().items():
        assert array.tobytes() == other.state()[name].tobytes()


def test_a_whole_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    begin(tmp_path)
    for path in (tmp_path / CHECKPOINTS).iterdir():
        arrays, document = model_file.read(path)
        model_file.write(path, arrays, {**document, "value": {"names": ["position"], "values": [3]}})
    with pytest.raises(ModelFileError, match="must hold what its training remembers"):
        fit(RunConfig(out=str(tmp_path), **SGD), resume=True)
    for path in (tmp_path / CHECKPOINTS).iterdir():
        model_file.write(path, {}, {**document, "basis": 3})
    fit(RunConfig(out=str(tmp_path), **SGD), resume=True)


def test_other_data_settings_or_machines_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path)
    same = RunConfig(out=str(tmp_path), **SGD)
    with pytest.raises(ConfigError, match=r"got learning_rate=0\.5, which was null"):
        fit(same.replace(learning_rate=0.5), resume=True)
    with pytest.raises(DataError, match="got another labels and columns"):
        fit(same.replace(data="wine"), resume=True)
    monkeypatch.setattr(basis, "usable_cores", lambda: 1_000)
    with pytest.raises(ConfigError, match=r"processors \d+, now 1000"):
        fit(same, resume=True)
    fit(same, resume=True, resume_anyway=True)
    with pytest.raises(OutputError, match="has come to its end"):
        fit(same, resume=True)


def test_an_unfinished_run_is_told_of_and_begins_anew_unasked(tmp_path: Path) -> None:
    begin(tmp_path)
    listening = Listening()
    fit(RunConfig(out=str(tmp_path), **SGD), listening)
    assert f"--resume {tmp_path} would go on with it" in "".join(listening.said)
    assert not (tmp_path / CHECKPOINTS).exists()


def module(n_classes: int) -> nn.Module:
    hidden = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2))
    return nn.Sequential(hidden, nn.Linear(8, n_classes))


def test_an_estimator_goes_on_with_a_module_and_an_optimizer_of_its_user(tmp_path: Path) -> None:
    X, y = load_iris(return_X_y=True)

    def learned(resume: Path | None, seed: int | None) -> dict[str, bytes]:
        made = Classifier(
            module,
            epochs=1,
            random_state=seed,
            optimizer=lambda params: optim.AdamW(params, lr=0.01, amsgrad=True),
        )
        path = made.fit(X, y, resume=resume).predictor_.save(tmp_path / "model.likely")
        return {name: array.tobytes() for name, array in model_file.read(path)[0].items()}

    for seed in (3, None):
        killed_after(5, lambda seed=seed: learned(tmp_path / "kept", seed))
        found = learned(tmp_path / "kept", seed)
        assert not (tmp_path / "kept").exists()
        if seed is not None:
            assert found == learned(None, seed)


class Steps(Stopwatch):
    """A watch by which every step takes a millisecond, and nothing else takes time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def advance_to(self, seconds: float) -> None:
        self.seconds = max(self.seconds, seconds)


def test_under_a_time_limit_what_is_used_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = load_iris(return_X_y=True)
    rows = Rows(X, one_hot(y, 3), None, CLASSIFICATION)
    config = RunConfig(network="linear", optimizer="adam", epochs=1e5, time_limit=0.7)
    watch, step = Steps(), ByHand.step

    def counted(self: ByHand, *what: Any) -> float:
        watch.seconds += 1e-3
        return step(self, *what)

    monkeypatch.setattr(ByHand, "step", counted)

    def learned(folder: Path | None = None, every: float | None = None) -> tuple[dict[str, bytes], float]:
        nonlocal watch
        watch = Steps()
        outcome = cross_validate(Job(rows, config, watch=watch, journal=Journal(folder, every, resume=True)))
        assert outcome.trained.stopped == "time limit"
        return {name: array.tobytes() for name, array in outcome.trained.engine.state().items()}, watch.seconds

    whole = learned()
    for writings in (10, 20, 30):
        killed_after(writings, lambda: learned(tmp_path, 1e-9))
    assert learned(tmp_path) == whole


LIMITED: dict[str, dict[str, Any]] = {
    "descents of folds": {"data": "iris", "network": "mlp", "hidden": (8,), "epochs": 1e5, "time_limit": 0.4},
    "L-BFGS": {"data": "digits", "network": "linear", "time_limit": 0.2},
    "a mixture": {"data": "wine", "network": "mixture", "time_limit": 0.2},
    "a conv net": {"data": "digits", "network": "conv", "time_limit": 0.2},
}


@pytest.mark.parametrize("name", LIMITED)
def test_what_the_clock_decided_is_repeated_to_the_same_bytes(name: str, tmp_path: Path) -> None:
    chosen, folds = RunConfig(out=str(tmp_path / "first"), **LIMITED[name]), name == "descents of folds"
    if folds:  # what was decided before a kill, and after it
        killed_after(9, lambda: fit(chosen.replace(checkpoint_every=1e-9)), of=("checkpoint",))
    fit(chosen, resume=folds)
    lengths = read_lengths(tmp_path / "first")
    assert lengths
    again = tmp_path / "again"
    if folds:
        command = ["fit", "--repeat", str(tmp_path / "first"), "--out", str(again)]
        assert CliRunner().invoke(app, command).exit_code == 0
        other = CliRunner().invoke(app, [*command, "--seed", "1"])
        assert "got seed=1, which was 0" in other.stderr
    else:
        fit(chosen.replace(out=str(again)), lengths=lengths)
    assert result(again) == result(tmp_path / "first")
    assert read_lengths(again) == lengths


def test_what_cannot_be_repeated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must have had a time limit"):
        read_lengths(tmp_path)
    for damaged in ("", "[]", '{"a": 1}', '{"a": [[1, "b"]]}', '{"a": [[2, true], [1, false]]}', '{"a": [[1, NaN]]}'):
        (tmp_path / "lengths.json").write_text(damaged)
        with pytest.raises(DataError, match="must hold what the clock decided"):
            read_lengths(tmp_path)
    with pytest.raises(ConfigError, match="a run of the same data and settings"):
        fit(RunConfig(out=str(tmp_path / "run"), **LIMITED["L-BFGS"]), lengths={})


def test_a_run_that_a_signal_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    class Signalling(Silent):
        left = 60

        def record(self, record: Any, fold: str = "") -> None:
            self.left -= 1
            if not self.left:
                signal.raise_signal(signal.SIGINT)

    fit(RunConfig(out=str(tmp_path / "whole"), **SGD))
    chosen = RunConfig(out=str(tmp_path / "stopped"), **SGD)
    run = fit(chosen, Signalling())
    assert (run.stopped, run.resumable) == ("interrupted", True)
    assert list((tmp_path / "stopped" / CHECKPOINTS).glob("checkpoint-*"))
    run = fit(chosen, resume=True)
    assert (run.stopped, run.resumable) == ("finished", False)
    assert result(tmp_path / "stopped") == result(tmp_path / "whole")


def test_a_disk_that_is_full_costs_the_checkpoints_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Journal, *what: Any) -> Path:
        raise OutputError("No space left on device.")

    monkeypatch.setattr(Journal, "_write", full)
    listening = Listening()
    run = fit(RunConfig(out=str(tmp_path), checkpoint_every=1e-3, **SGD), listening)
    assert run.stopped == "finished"
    assert "training goes on without it: No space left on device." in "".join(listening.said)


def test_the_command_line_takes_the_settings_from_the_run(tmp_path: Path) -> None:
    fit(RunConfig(out=str(tmp_path / "whole"), **SGD))
    begin(tmp_path / "killed")
    command = ["fit", "--resume", str(tmp_path / "killed")]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert result(tmp_path / "killed") == result(tmp_path / "whole")
    before = {path.name: path.read_bytes() for path in (tmp_path / "killed").iterdir()}
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0
    assert "has come to its end: nothing is left to be done" in again.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "killed").iterdir()} == before


def test_a_command_with_resume_can_be_given_again_at_any_time(tmp_path: Path) -> None:
    """As a scheduler restarts it: it begins, says that all is done, and finishes what was not."""
    folder = tmp_path / "run"
    command = ["fit", "iris", "--resume", str(folder), "--network", "linear", "--epochs", "2"]
    assert CliRunner().invoke(app, command).exit_code == 0
    (folder / "report.html").unlink()
    assert CliRunner().invoke(app, command).exit_code == 0
    assert (folder / "report.html").is_file()
    other = CliRunner().invoke(app, [*command[:-1], "3"])
    assert other.exit_code == 1
    assert "got epochs=3.0, which was 2.0" in other.stderr
    (folder / "unfinished").mkdir()
    assert CliRunner().invoke(app, command).exit_code == 1


def test_one_fit_at_a_time_uses_a_folder_of_checkpoints(tmp_path: Path) -> None:
    X, y = load_iris(return_X_y=True)
    folder = tmp_path / "kept"
    with one_writer(folder, "fit", fix=""), pytest.raises(OutputError, match="one fit at a time"):
        Classifier("linear").fit(X, y, resume=folder)
    assert not folder.exists()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="one that can be written"):
        Classifier("linear").fit(X, y, resume=tmp_path / "file")
