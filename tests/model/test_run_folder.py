"""The run folder: ours, writable, and never somebody else's."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from likely.data import unpack_budget
from likely.errors import DivergenceError, OutputError
from likely.export.properties import packed_arrays, unpacked_arrays
from likely.model.run_folder import RunFolder, read_held_out, read_history


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
    with RunFolder(tmp_path / "run", "x"):
        pass
    assert not (tmp_path / "run").exists()
    with RunFolder(tmp_path / "run", "x") as folder:
        folder.begin({"seed": 1})
        folder.append_history({"step": 1})
    assert (tmp_path / "run/history.jsonl").exists()


OLD = {"model.likely": "old", "report.html": "old", "row_hashes.npy": "old", "config.json": "old", "mine.txt": "mine"}


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    for name, text in OLD.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_an_earlier_run_stays_until_a_new_one_is_finished(old_run: Path) -> None:
    with RunFolder(old_run, "x", overwrite=True) as folder:
        folder.begin({"seed": 2})
        (folder.writes_to / "model.likely").write_text("new")
        assert contents(old_run).items() >= OLD.items()
        folder.finish()
    assert contents(old_run) == {"model.likely": "new", "config.json": '{\n  "seed": 2\n}\n', "mine.txt": "mine"}


@pytest.mark.parametrize("error", [DivergenceError("diverged", 1), KeyboardInterrupt()])
def test_a_run_that_fails_leaves_an_earlier_one_as_it_was(old_run: Path, error: BaseException) -> None:
    def fail() -> None:
        with RunFolder(old_run, "x", overwrite=True) as folder:
            folder.begin({"seed": 2})
            folder.append_history({"step": 1})
            raise error

    with pytest.raises(type(error)):
        fail()
    assert contents(old_run) == OLD


@pytest.mark.parametrize("moved", range(6))
def test_a_run_that_was_killed_while_it_took_its_place_takes_it_later(
    old_run: Path, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, left = Path.replace, iter(range(moved))

    def replace_until_killed(path: Path, target: Path) -> Path:
        if path.parent.name == ".finished" and next(left, None) is None:
            raise SystemError("killed")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_until_killed)

    def run() -> None:
        with RunFolder(old_run, "x", overwrite=True) as folder:
            folder.begin({})
            (folder.writes_to / "model.likely").write_text("new")
            (folder.writes_to / "row_hashes.npy").write_text("new")
            folder.finish()

    with pytest.raises(SystemError):
        run()
    monkeypatch.undo()
    RunFolder(old_run, "x", overwrite=True)
    assert contents(old_run) == {
        "model.likely": "new", "row_hashes.npy": "new", "config.json": "{}\n", "mine.txt": "mine"
    }  # fmt: skip


def test_what_an_unfinished_run_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("{}")
    with RunFolder(tmp_path, "x") as folder:
        assert "did not come to its end" in folder.note
        folder.begin({})
    assert read_history(tmp_path) == []


def test_one_run_at_a_time(tmp_path: Path) -> None:
    code = "import sys, time; from likely.model.run_folder import RunFolder as F\n"
    code += "with F(sys.argv[1], 'x'): print('in', flush=True); time.sleep(100)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "in\n"
        with pytest.raises(OutputError, match="one run at a time"), RunFolder(tmp_path, "x"):
            pass
        first.kill()
    with RunFolder(tmp_path, "x"):
        pass


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
        "from likely.errors import DivergenceError, OutputError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: RunFolder(sys.argv[1] + '/run', 'x')\n"
        "except OutputError as error: print(error)\n"
    )
    (tmp_path / "locked").mkdir(mode=0o555)
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "locked")], capture_output=True, text=True, env=dict(os.environ)
    )
    assert "can be written" in found.stdout, found.stderr


def test_a_second_run_does_not_touch_what_the_first_is_about_to_move(tmp_path: Path) -> None:
    with RunFolder(tmp_path, "x") as first:
        first.begin({"seed": 1})
        (tmp_path / ".finished").mkdir()
        (tmp_path / ".finished/model.likely").write_text("being moved")
        with pytest.raises(OutputError, match="another run is writing"):
            RunFolder(tmp_path, "x", overwrite=True)
        assert (tmp_path / ".finished/model.likely").exists()
    RunFolder(tmp_path, "x", overwrite=True)
    assert (tmp_path / "model.likely").read_text() == "being moved"


def test_what_a_killed_writing_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".likely-0123456789abcdef.tmp").write_text("half")
    with RunFolder(tmp_path, "x") as folder:
        folder.begin({"seed": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_arrays_that_unpack_to_much_more_than_they_take_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = {"x": np.zeros(125_000)}
    np.savez_compressed(tmp_path / "held_out.npz", allow_pickle=False, **zeros)
    text = packed_arrays(zeros)
    assert read_held_out(tmp_path) is not None
    assert len(unpacked_arrays(text)["x"]) == 125_000
    monkeypatch.setattr(unpack_budget, "ALWAYS", 1_000)
    assert read_held_out(tmp_path) is None
    with pytest.raises(ValueError, match="1,000,128 bytes"):
        unpacked_arrays(text)
