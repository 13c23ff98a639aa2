"""The run folder: ours, writable, and never somebody else's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from likely.errors import OutputError
from likely.model.run_folder import RunFolder, read_history


def test_the_first_free_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert RunFolder(None, "digits").path == Path("runs/digits-1")
    (tmp_path / "runs/digits-1/x").write_text("taken")
    assert RunFolder(None, "my data/../digits").path == Path("runs/digits-2")


def test_history_is_on_disk_line_by_line(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", "x")
    for step in (1, 2):
        folder.begin({"seed": 1})
        folder.append_history({"step": step})
    assert read_history(tmp_path / "run") == [{"step": 1}, {"step": 2}]


def test_a_run_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", "x")
    folder.discard_unless_begun()
    assert not (tmp_path / "run").exists()
    folder = RunFolder(tmp_path / "run", "x")
    folder.begin({"seed": 1})
    folder.append_history({"step": 1})
    folder.discard_unless_begun()
    assert (tmp_path / "run/history.jsonl").exists()


def test_an_earlier_run_stays_until_a_new_one_begins(tmp_path: Path) -> None:
    (tmp_path / "model.likely").write_text("x")
    folder = RunFolder(tmp_path, "x", overwrite=True)
    folder.discard_unless_begun()
    assert (tmp_path / "model.likely").read_text() == "x"
    folder.begin({})
    assert not (tmp_path / "model.likely").exists()


def test_folders_that_are_not_free(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="must be a folder"):
        RunFolder(tmp_path / "file", "x")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.png").write_text("x")
    with pytest.raises(OutputError, match="other files"):
        RunFolder(tmp_path / "photos", "x")
    (tmp_path / "old").mkdir()
    (tmp_path / "old/model.likely").write_text("x")
    with pytest.raises(OutputError, match="--overwrite"):
        RunFolder(tmp_path / "old", "x")
    RunFolder(tmp_path / "old", "x", overwrite=True)
    assert (tmp_path / "old/model.likely").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    # Root may write anywhere, so another user tries.
    tmp_path.chmod(0o755)
    code = (
        "import os, sys\n"
        "from likely.model.run_folder import RunFolder\n"
        "from likely.errors import OutputError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: RunFolder(sys.argv[1] + '/run', 'x')\n"
        "except OutputError as error: print(error)\n"
    )
    (tmp_path / "locked").mkdir(mode=0o555)
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "locked")], capture_output=True, text=True, env=dict(os.environ)
    )
    assert "can be written" in found.stdout, found.stderr
