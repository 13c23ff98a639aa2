"""`likely fit`: the run folder, what is printed where, how the settings come together, and how it ends."""

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from likely.config import RunConfig, load_config
from likely.config.setting import declared
from likely.model import load, read_card
from likely.model.run_folder import read_history

Likely = Callable[..., Result]
IdxFolder = Callable[..., Path]
Said = Callable[[str], str]
QUICK = ("--network", "linear", "--epochs", "1")


def test_a_run_folder_holds_all_its_files(digits_run: Path) -> None:
    assert sorted(path.name for path in digits_run.iterdir()) == [
        "config.json",
        "history.jsonl",
        "metrics.json",
        "model.likely",
        "report.html",
        "row_hashes.npy",
    ]
    assert load_config(digits_run / "config.json").network == "linear"
    assert read_history(digits_run)
    assert "<html" in (digits_run / "report.html").read_text(encoding="utf-8")


def test_the_summary_names_figures_files_and_the_next_step(likely: Likely, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = likely("fit", "digits", *QUICK, "--out", run)
    assert result.exit_code == 0
    for words in ("accuracy", "NLL", "Brier score", "ECE", "95% interval", "Trained in"):
        assert words in result.stdout
    assert f"Model   {run / 'model.likely'}" in result.stdout
    assert f"Report  {run / 'report.html'}" in result.stdout
    assert f"likely predict {run / 'model.likely'} IMAGE" in result.stdout
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert f"{metrics['accuracy']['value']:.2%}" in result.stdout
    assert "epoch 1.0" in result.stderr
    assert "epoch 1.0" not in result.stdout


def test_without_out_the_first_free_folder_is_taken(
    likely: Likely, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        result = likely("fit", "digits", *QUICK)
        assert f"runs/digits-{number}" in result.stdout
        assert (tmp_path / "runs" / f"digits-{number}" / "model.likely").exists()


def test_a_run_is_never_overwritten_without_being_asked(
    likely: Likely, digits_run: Path, tmp_path: Path, said: Said
) -> None:
    run = shutil.copytree(digits_run, tmp_path / "run")
    before = (run / "model.likely").read_bytes()
    refused = likely("fit", "digits", *QUICK, "--seed", 2, "--out", run)
    assert refused.exit_code == 1
    assert "--overwrite" in refused.stderr
    assert (run / "model.likely").read_bytes() == before
    assert likely("fit", "digits", *QUICK, "--seed", 2, "--out", run, "--overwrite").exit_code == 0
    assert (run / "model.likely").read_bytes() != before


def test_a_seed_repeats_bit_for_bit(likely: Likely, tmp_path: Path) -> None:
    runs = [tmp_path / name for name in "abc"]
    for run, seed in zip(runs, (7, 7, 8), strict=True):
        assert likely("fit", "digits", "--network", "mlp", "--epochs", 1, "--seed", seed, "--out", run).exit_code == 0
    a, b, c = ((run / "metrics.json").read_bytes() for run in runs)
    assert a == b
    assert a != c


def test_options_win_over_the_configuration_file(likely: Likely, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('data = "digits"\nnetwork = "mlp"\nhidden = [16]\nseed = 3\nepochs = 1\n', encoding="utf-8")
    result = likely("fit", "--config", file, "--seed", 4, "--hidden", "8,8", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    config = load_config(tmp_path / "run" / "config.json")
    assert (config.data, config.network, config.hidden, config.seed, config.epochs) == ("digits", "mlp", (8, 8), 4, 1)


def test_a_run_can_be_repeated_from_its_own_configuration(likely: Likely, digits_run: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert likely("fit", "--config", digits_run / "config.json", "--out", again).exit_code == 0
    assert (again / "metrics.json").read_bytes() == (digits_run / "metrics.json").read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--event", "low=12"), "12"),
        (("--class-weight", "12=2"), "12"),
        (("--init-from", "nowhere.likely"), "nowhere.likely"),
        (("--init-from", "RUN"), "init_from must be outside"),
        (("--network", "conv", "--pad-to", 2), "pad_to"),
    ],
)
def test_a_wrong_option_does_not_cost_the_earlier_run(
    likely: Likely, tmp_path: Path, digits_run: Path, options: tuple[object, ...], said: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(digits_run, run)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    options = tuple(run / "model.likely" if option == "RUN" else option for option in options)
    refused = likely("fit", "digits", *QUICK, *options, "--out", run, "--overwrite")
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_a_run_made_with_overwrite_is_not_replaced_unasked(likely: Likely, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert likely("fit", "digits", *QUICK, "--out", run, "--overwrite").exit_code == 0
    refused = likely("fit", "--config", run / "config.json")
    assert refused.exit_code == 1
    assert "already holds" in refused.stderr
    again = tmp_path / "again"
    assert likely("fit", "--config", run / "config.json", "--out", again, "--no-overwrite").exit_code == 0
    assert read_card(again).training.command == "likely fit --config config.json --out again --no-overwrite"


def test_the_card_says_the_command(likely: Likely, tmp_path: Path) -> None:
    run = tmp_path / "a run"
    likely("fit", "digits", *QUICK, "--no-early-stopping", "--learning-rate", 0.01, "--out", run)
    command = read_card(run).training.command
    assert command.startswith("likely fit digits ")
    assert "--out 'a run'" in command
    assert "--learning-rate 0.01" in command
    assert "--no-early-stopping" in command


def test_a_time_limit_ends_training(likely: Likely, tmp_path: Path) -> None:
    began = time.monotonic()
    result = likely(
        "fit", "digits", "--network", "mlp", "--epochs", 100_000, "--time-limit", "3s", "--out", tmp_path / "r"
    )
    assert result.exit_code == 0
    assert time.monotonic() - began < 30
    assert "time limit" in result.stdout


def started(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", "from likely.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("rows", "epochs", "sign", "number", "stopped"),
    [
        pytest.param(400, 200, "Fold 2", signal.SIGINT, "interrupted", id="in a fold"),
        pytest.param(8000, 100_000, "epoch", signal.SIGTERM, "terminated", id="in the only training"),
    ],
)
def test_a_signal_keeps_the_best_so_far_and_says_so(
    idx_folder: IdxFolder, tmp_path: Path, rows: int, epochs: int, sign: str, number: signal.Signals, stopped: str
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "history.jsonl").touch()  # an earlier try was killed
    data = idx_folder(tmp_path / "data", RNG.integers(0, 256, (rows, 4, 4)), np.arange(rows) % 10)
    with started("fit", data, "--network", "mlp", "--epochs", epochs, "--out", run) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(sign):
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert stopped in out
    assert "Traceback" not in err
    assert read_card(run).training.stopped == stopped
    assert (run / "report.html").exists()


def test_ctrl_c_at_the_start_ends_cleanly(idx_folder: IdxFolder, tmp_path: Path) -> None:
    data = idx_folder(tmp_path / "data", RNG.integers(0, 256, (400, 4, 4)), np.arange(400) % 10)
    with started("fit", data, "--network", "mlp", "--epochs", 100_000, "--out", tmp_path / "run") as process:
        assert process.stderr is not None
        process.stderr.readline()
        # Python drops a KeyboardInterrupt that falls into a finalizer, so whoever waits presses again.
        for _ in range(60):
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
                break
        else:
            process.kill()
        out, err = process.communicate()
    assert "Traceback" not in err
    # A signal that comes while Python shuts down ends it as the system does; a shell calls both 130.
    assert process.returncode in (130, -signal.SIGINT)
    # Where the start was slow, training had begun, and its model was kept.
    assert err.splitlines()[-1] == "interrupted" or "interrupted" in out


def test_a_closed_terminal_does_not_end_the_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    code = "from likely.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "fit", "digits", *QUICK, "--out", str(run)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(timeout=120) == 0
    assert (run / "model.likely").exists()


def test_a_terminal_gets_a_live_bar(tmp_path: Path) -> None:
    import pty

    parent, child = pty.openpty()
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from likely.cli import main; main()",
            "fit",
            "digits",
            *QUICK,
            "--out",
            str(tmp_path / "r"),
        ],
        stdout=subprocess.PIPE,
        stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(child)
    drawn = b""
    # Linux tells the end of a pseudo-terminal by an error.
    while True:
        try:
            piece = os.read(parent, 4096)
        except OSError:
            break
        if not piece:
            break
        drawn += piece
    os.close(parent)
    assert process.wait(timeout=60) == 0
    assert process.stdout is not None
    process.stdout.close()
    assert "━".encode() in drawn
    assert re.search(rb"\x1b\[\d*[AKJ]", drawn)


# What cannot be learned from, or with


NETWORKS = ", ".join(declared(RunConfig)["network"].choices)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--preset", "fats"), "'fats' does not exist. Did you mean 'fast'? Choose from fast, balanced, best."),
        (("--network", "cnv"), f"'cnv' does not exist. Did you mean 'conv'? Choose from {NETWORKS}."),
        (("--network", "zzz"), f"'zzz' does not exist. Choose from {NETWORKS}."),
        (("--engine", "tensorflow"), "Choose from auto, numpy, jax, torch."),
        (("--hidden", "a,b"), "not a list of whole numbers"),
        (("--epochs", "many"), "--epochs"),
        (("--presett", "fast"), "--preset"),
    ],
)
def test_wrong_usage_exits_with_2(likely: Likely, said: Said, arguments: tuple[str, ...], words: str) -> None:
    result = likely("fit", "digits", *arguments)
    assert result.exit_code == 2
    assert words in said(result.stderr)
    assert result.stdout == ""


def test_data_must_be_named(likely: Likely, said: Said) -> None:
    result = likely("fit", "--epochs", 1)
    assert result.exit_code == 2
    assert "DATA" in said(result.stderr)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("digits", "--epochs", "-1"), "epochs must be greater than 0"),
        (("digits", "--time-limit", "soon"), "30s, 2m, 1h"),
        (("digits", "--activation", "heaviside", "--network", "mlp"), "gradient"),
        (("digits", "--network", "linear", "--hidden", "8"), "network='mlp'"),
        (("digits", "--network", "conv", "--engine", "numpy"), "torch"),
        (("digitz",), "Did you mean 'digits'?"),
        (("no/such/folder",), "no/such/folder"),
        (("digits", "--config", "no.toml"), "no.toml"),
    ],
)
def test_a_setting_or_path_that_does_not_fit_is_an_error(
    likely: Likely, arguments: tuple[str, ...], words: str
) -> None:
    result = likely("fit", *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ")


def test_a_configuration_file_with_a_mistake_is_an_error(likely: Likely, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('data = "digits"\nprest = "fast"\n', encoding="utf-8")
    result = likely("fit", "--config", file)
    assert result.exit_code == 1
    assert str(file) in result.stderr
    assert "Did you mean 'preset'?" in result.stderr


RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (100, 4, 4))
TEN = np.arange(100) % 10


@pytest.mark.parametrize(
    ("X", "y", "magic", "words"),
    [
        (IMAGES, TEN, b"\x1f\x1f\x08", "train-images-idx3-ubyte must start like an IDX file"),
        (IMAGES, TEN[:-1], b"\0\0\x08", "100 images and 99 labels"),
        (IMAGES, np.where(np.arange(100) == 7, 10, TEN), b"\0\0\x08", "labels from 0 to 9; got 10 at row 7"),
        (IMAGES, np.zeros(100), b"\0\0\x08", "got only one"),
        (IMAGES, np.where(TEN == 3, 4, TEN), b"\0\0\x08", "must have a training row; got none of '3'"),
        (np.full((100, 4, 4), 9), TEN, b"\0\0\x08", "all a single color"),
    ],
)
def test_data_that_cannot_be_learned_from_is_an_error(
    idx_folder: IdxFolder, likely: Likely, tmp_path: Path, X: np.ndarray, y: np.ndarray, magic: bytes, words: str
) -> None:
    result = likely("fit", idx_folder(tmp_path / "data", X, y, magic), "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert words in result.stderr
    assert not (tmp_path / "run" / "model.likely").exists()


def test_a_folder_of_idx_files_is_learned_from(idx_folder: IdxFolder, likely: Likely, tmp_path: Path) -> None:
    result = likely("fit", idx_folder(tmp_path / "data", IMAGES, TEN), *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr


def test_a_loss_that_becomes_nan_stops_with_its_step(likely: Likely, tmp_path: Path) -> None:
    settings = ("--network", "mlp", "--optimizer", "sgd", "--learning-rate", "1e38")
    result = likely("fit", "digits", *settings, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert re.search(r"error: .*at step \d+.* learning rate", result.stderr)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_a_loss_that_becomes_nan_late_keeps_the_last_good_state(
    idx_folder: IdxFolder, likely: Likely, tmp_path: Path
) -> None:
    data = idx_folder(tmp_path / "data", RNG.integers(0, 256, (8000, 4, 4)), np.arange(8000) % 10)
    settings = ("--network", "mlp", "--hidden", "8", "--optimizer", "sgd", "--learning-rate", "1e38", "--epochs", 3000)
    result = likely("fit", data, *settings, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert re.search(r"diverged at step \d+", result.stderr.splitlines()[-1])
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert re.match(r"diverged at step \d+", read_card(tmp_path / "run").training.stopped)
    assert likely("evaluate", tmp_path / "run", data, "--json").exit_code == 0


def test_a_run_folder_that_cannot_be_written_is_told_before_training(likely: Likely) -> None:
    result = likely("fit", "digits", "--epochs", 100_000, "--out", "/proc/likely/run")
    assert result.exit_code == 1
    assert "/proc/likely/run" in result.stderr
    assert "epoch" not in result.stderr


def test_a_run_folder_that_is_a_file_is_an_error(likely: Likely, tmp_path: Path) -> None:
    file = tmp_path / "run"
    file.write_text("mine", encoding="utf-8")
    result = likely("fit", "digits", *QUICK, "--out", file)
    assert result.exit_code == 1
    assert str(file) in result.stderr
    assert file.read_text(encoding="utf-8") == "mine"


def test_a_full_disk_is_told_before_training(likely: Likely, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A disk cannot be filled here; what it would report can be said.
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1 << 20})())
    result = likely("fit", "digits", "--epochs", 100_000, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "1 MB" in result.stderr
    assert "epoch" not in result.stderr
    assert not (tmp_path / "run").exists()


def test_what_is_kept_says_nothing_of_who_made_it(likely: Likely, tmp_path: Path) -> None:
    table = tmp_path / "data.csv"
    table.write_text("x,y\n" + "\n".join(f"{i % 7},{'ab'[i % 2]}" for i in range(100)), encoding="utf-8")
    folder = tmp_path / "images"
    for i in range(40):
        (folder / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / "ab"[i % 2] / f"{i}.png")
    for data in (table, folder):
        run = tmp_path / f"run of {data.stem}"
        assert likely("fit", data, *QUICK, "--out", run).exit_code == 0
        for file in run.iterdir():
            content = file.read_bytes()
            for private in (str(tmp_path), platform.release()):
                assert private.encode() not in content or file.name == "config.json", (file, private)
        content = (run / "report.html").read_bytes()
        assert read_card(run).data.name == data.name
        assert b"data:image/png" not in content or data is folder
    assert likely("fit", folder, *QUICK, "--private", "--out", run, "--overwrite").exit_code == 0
    assert b"data:image/png" in content
    assert b"data:image/png" not in (run / "report.html").read_bytes()
    assert not (run / "row_hashes.npy").exists()
    assert load(run).trained_on is None
