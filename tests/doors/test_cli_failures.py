"""How the command line fails: one line, an exit code, and no traceback unless it is asked for."""

import os
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from likely.cli.failures import failures_explained
from likely.errors import DataError, LikelyWarning


def ending(error: BaseException) -> int:
    with pytest.raises(typer.Exit) as caught, failures_explained():
        raise error
    return caught.value.exit_code


def test_a_clear_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(DataError("Rows must differ; got \x1b[31mred[/]. Try others.")) == 1
    assert capsys.readouterr().err == "error: Rows must differ; got \\x1b[31mred[/]. Try others.\n"


def test_a_long_error_is_not_broken_into_lines(capsys: pytest.CaptureFixture[str]) -> None:
    ending(DataError("x " * 500))
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_error_of_several_lines_keeps_them(capsys: pytest.CaptureFixture[str]) -> None:
    ending(DataError("Tried:\n  - one\n  - two"))
    assert capsys.readouterr().err == "error: Tried:\n  - one\n  - two\n"


def test_an_unexpected_error_says_how_to_see_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIKELY_TRACEBACK", raising=False)
    assert ending(KeyError("theta")) == 1
    said = capsys.readouterr().err
    assert "KeyError: 'theta'" in said
    assert "LIKELY_TRACEBACK=1" in said
    assert "Traceback" not in said
    monkeypatch.setenv("LIKELY_TRACEBACK", "1")
    ending(KeyError("theta"))
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device", "model.likely"), "No space left on device: model.likely"),
        (MemoryError(), "Out of memory"),
        (RuntimeError(), "no message"),
    ],
)
def test_errors_of_the_machine_are_said_plainly(
    error: Exception, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(error) == 1
    assert words in capsys.readouterr().err


def test_ctrl_c_exits_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_of_which_others_make_an_error_is_a_signal(number: int, code: int) -> None:
    """As NumPy does in C where it comes while one of its modules is loaded."""
    before = signal.getsignal(number)

    def loading() -> None:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise ImportError("numpy._core.multiarray failed to import") from None

    with pytest.raises(typer.Exit) as ended, failures_explained():
        loading()
    assert ended.value.exit_code == code
    assert signal.getsignal(number) is before


def test_wrong_usage_is_left_to_typer() -> None:
    with pytest.raises(typer.BadParameter), failures_explained():
        raise typer.BadParameter("no")


def test_warnings_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with failures_explained():
        warnings.warn("Something [red]rests[/] on almost nothing.", LikelyWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: Something [red]rests[/] on almost nothing.\n"


def test_warnings_are_shown_as_before_afterwards() -> None:
    before: Callable[..., None] = warnings.showwarning
    with failures_explained():
        assert warnings.showwarning is not before
    assert warnings.showwarning is before


def test_what_was_printed_comes_before_the_error(capfd: pytest.CaptureFixture[str]) -> None:
    sys.stdout.write("half an answer")
    ending(DataError("no more"))
    assert capfd.readouterr().out == "half an answer"


def run_in_shell(command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        f'likely() {{ {sys.executable} -m likely "$@"; }}; {command}',
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("option", ["--version", "--help", "fit --help"])
def test_a_full_disk_under_an_option_that_only_prints(option: str) -> None:
    ran = run_in_shell(f"likely {option} >/dev/full")
    assert (ran.returncode, ran.stderr) == (1, "error: No space left on device\n")


def test_streams_that_are_closed(tmp_path: Path) -> None:
    fit = f"likely fit digits --network linear --epochs 2 --out {tmp_path}"
    for run, end in (("a", "<&- >&-"), ("d", "2>&- | true")):
        ran = run_in_shell(f"set -o pipefail; {fit}/{run} {end}", COLUMNS="0")
        assert ran.returncode == 0, (end, ran.stderr)
        assert "rror" not in ran.stderr
        assert (tmp_path / run / "report.html").exists()
    assert "accuracy" in run_in_shell(f"likely inspect {tmp_path}/a/model.likely", COLUMNS="0").stdout


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="a command of Linux")
@pytest.mark.parametrize("threads", ["1", ""])
@pytest.mark.parametrize("megabytes", [150, 200, 250, 300, 350])
def test_too_little_address_space_is_said(megabytes: int, threads: str, tmp_path: Path) -> None:
    """OpenBLAS waits forever for memory that it is denied while it is loaded: it must not come to that."""
    command = [sys.executable, "-m", "likely", "fit", "digits", "--network", "conv", "--out", str(tmp_path / "run")]
    limited = ["prlimit", f"--as={megabytes * 1_000_000}", *command]
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    found = subprocess.run(limited, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert "memory" in found.stderr.lower()
    assert "ulimit" in found.stderr
    assert not (tmp_path / "run").exists()


def test_enough_address_space_for_one_thread(tmp_path: Path) -> None:
    """As little as is asked for is enough for a small table."""
    command = [sys.executable, "-m", "likely", "fit", "digits", "--network", "mlp", "--out", str(tmp_path / "run")]
    limited = ["prlimit", f"--as={460 * 2**20}", *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    found = subprocess.run(limited, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "run" / "model.likely").exists()
