"""A run folder: one place for the model and everything that was learned on the way.

model.likely    the model
report.html     what to look at
metrics.json    the test figures, with intervals
history.jsonl   one line per record of training
config.json     what reproduces the run
lengths.json    under a time limit: what the clock decided, which reproduces it, too
held_out.npz    without test rows: the answers to held-out ones that the figures rest on
row_hashes.npy  a hash of every row trained on, so that calibration on one of them is noticed
checkpoints/    what an unfinished run goes on from
"""

import contextlib
import io
import itertools
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likely.atomic import TEMPORARY, write_bytes, write_text
from likely.data.unpack_budget import refuse_bombs
from likely.errors import DataError, OutputError
from likely.model.folder_lock import lock

MODEL = "model.likely"
REPORT = "report.html"
METRICS = "metrics.json"
HISTORY = "history.jsonl"
CONFIG = "config.json"
LENGTHS = "lengths.json"
HELD_OUT = "held_out.npz"
ROW_HASHES = "row_hashes.npy"
CHECKPOINTS = "checkpoints"
"""The folder inside that a run can be resumed from, until it is done."""
_FILES = (MODEL, REPORT, METRICS, HISTORY, CONFIG, LENGTHS, HELD_OUT, ROW_HASHES)
UNFINISHED = "unfinished"
"""Where a run writes inside a folder that holds a model, until it is done."""
_FINISHED = ".finished"
"""What that folder is called while its files take the place of the old ones."""
_BYTES_NEEDED = 64 * 2**20


class RunFolder:
    """A folder that has been checked to be ours to write to; while it is entered, no other run writes to it.

    A run that replaces a model writes to a folder of its own inside until `finish`: whatever ends it before that leaves
    the model, its report and its settings as they were. What a run left that never came to a model is no obstacle.

    Args:
        folder: where to write; None takes the first free `runs/NAME-N`.
        name: what the data set is called, for that default.
        overwrite: whether a finished run, or other files, may be there. An interrupted one may always.
        resume: whether an unfinished run in the folder goes on.
        is_unfinished: whether the training of a model, whose file is given, did not come to its end.
    Raises:
        OutputError: if the folder holds another run, cannot be written, or the disk is nearly full. It is raised
            before any training.
    """

    def __init__(
        self,
        folder: str | Path | None,
        name: str,
        *,
        overwrite: bool = False,
        resume: bool = False,
        is_unfinished: Callable[[Path], bool] = lambda model: False,
    ) -> None:
        self._begun = False
        self.path = Path(folder or "runs")
        try:
            self._is_new = folder is None or not self.path.exists()
            if folder is None:
                self.path = _first_free(name)
            _check_writable(self.path, is_new=self._is_new)
            # One that comes while another run writes must not touch what that is about to move.
            self._unlock = lock(self, self.path, "run", fix="another --out")
            _settle(self.path)
            # What a run that was killed while it wrote a file left of it is nobody's.
            present = {path.name for path in self.path.iterdir() if not path.name.startswith(TEMPORARY)}
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"The run folder must be a folder that can be written; {self.path} is not: {error.strerror}. "
                "Try another --out."
            ) from error
        taken = [file for file in _FILES if file in present]
        self.replaces = MODEL in present
        self.protects = self.replaces and not is_unfinished(self.path / MODEL)
        self.checkpoints = self.path / CHECKPOINTS
        self.resumes = resume and CHECKPOINTS in present
        if self.protects and not overwrite and not self.resumes:
            if resume:
                raise self._refused(
                    f"A run that is resumed must be unfinished; the one in {self.path} has come to its end. Try "
                    "--out and --overwrite to replace it."
                )
            raise self._refused(
                f"The run folder must be new; {self.path} already holds {', '.join(taken)}. Try another --out, or "
                "--overwrite to replace it."
            )
        if present - {*_FILES, UNFINISHED, CHECKPOINTS} and not taken and not overwrite:
            raise self._refused(
                f"The run folder must be new; {self.path} holds other files. Try a new --out, or --overwrite."
            )
        self.note = ""
        if ((taken and not self.protects) or {UNFINISHED, CHECKPOINTS} & present) and not self.resumes:
            other = f"; --resume {self.path} would go on with it" if CHECKPOINTS in present and not resume else ""
            self.note = (
                f"{self.path} holds a run that did not come to its end; this run starts anew and replaces it{other}"
            )
        self.writes_to = self.path / UNFINISHED if self.replaces else self.path

    def _refused(self, why: str) -> OutputError:
        """An error with this message; the lock goes at once, for whoever catches the error keeps this alive."""
        self._unlock()
        return OutputError(why)

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Leave nothing behind of a run that failed or never began but, where it replaces nothing, its history."""
        if kind is not None and self.replaces and self._begun:
            _clear(self.path / UNFINISHED)
        elif not self._begun and self._is_new and not any(self.path.iterdir()):
            self.path.rmdir()
        self._unlock()

    def begin(self, config: Mapping[str, object]) -> None:
        """Write what reproduces the run, and clear what an unfinished one left: once, when there is something new."""
        if self._begun:
            return
        self.writes_to.mkdir(exist_ok=True)
        self.write_json(CONFIG, config)
        for path in (*self.writes_to.glob(f"{TEMPORARY}*.tmp"), *map(self.writes_to.joinpath, _FILES)):
            if path.name != CONFIG:
                path.unlink(missing_ok=True)
        self._begun = True

    def finish(self) -> None:
        """Let the files of the run take the place of an earlier run's: decided in one step, by the name of a folder."""
        if self.replaces:
            for file in _FILES:
                (self.writes_to / file).touch()  # an empty one says that the old one is to go
            self.writes_to.rename(self.path / _FINISHED)
            self.writes_to = self.path
            _settle(self.path)

    def write_json(self, file: str, value: object, indent: int | None = 2) -> Path:
        """Write a value as JSON, whole or not at all."""
        path = self.writes_to / file
        write_text(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")
        return path

    def write_row_hashes(self, hashes: np.ndarray) -> None:
        """Write hashes of the rows trained on, sorted, so that their order says nothing."""
        buffer = io.BytesIO()
        np.save(buffer, np.sort(hashes), allow_pickle=False)
        write_bytes(self.writes_to / ROW_HASHES, buffer.getvalue())

    def write_held_out(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write what was answered to held-out rows."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        write_bytes(self.writes_to / HELD_OUT, buffer.getvalue())

    def append_history(self, line: Mapping[str, object]) -> None:
        """Add a record; it is on disk at once, so that a killed run still leaves its history."""
        try:
            with (self.writes_to / HISTORY).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(f"{self.writes_to / HISTORY} must be writable; {error.strerror}.") from error


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The records of a run, in order."""
    path = folder / HISTORY
    records: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_bytes().splitlines() if path.is_file() else (), start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise DataError(
                f"{path} must hold a record of training in every line; line {number} is none. Remove that line."
            )
        records.append(record)
    return records


def read_row_hashes(folder: Path) -> np.ndarray | None:
    """The hashes in a run folder, or None; a file that is none says nothing."""
    try:
        hashes = np.load(folder / ROW_HASHES, allow_pickle=False)
    except Exception:  # fed with damaged bytes, NumPy raises whatever it comes across
        return None
    return hashes if hashes.dtype == np.uint64 and hashes.ndim == 1 else None


def read_held_out(folder: Path) -> dict[str, np.ndarray] | None:
    """What was answered to held-out rows, or None; a file that is none says nothing."""
    try:
        with np.load(path := folder / HELD_OUT, allow_pickle=False) as file:
            refuse_bombs(file.zip, path.stat().st_size)
            return dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _first_free(name: str) -> Path:
    """A new folder, which is created: of two runs that start at once each gets its own."""
    stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(name).name) or "run"
    Path("runs").mkdir(exist_ok=True)
    for number in itertools.count(1):
        folder = Path("runs") / f"{stem}-{number}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError


def _settle(folder: Path) -> None:
    """Let a finished run's files take their places, the model last; a run that was killed while it did so, too."""
    finished = folder / _FINISHED
    if finished.exists():
        for file in reversed(_FILES):
            if (finished / file).exists():
                (finished / file).replace(folder / file)
            if (folder / file).exists() and not (folder / file).stat().st_size:
                (folder / file).unlink()
        finished.rmdir()


def _clear(folder: Path) -> None:
    for file in _FILES:
        (folder / file).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # somebody put a file of their own there
        folder.rmdir()


def _check_writable(folder: Path, *, is_new: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # Without a buffer, whose rest could not be written at the end either: the file would stay.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=TEMPORARY, buffering=0) as probe:
            probe.write(b"\0" * 4096)
        free = shutil.disk_usage(folder).free
        if free < _BYTES_NEEDED:
            raise OutputError(
                f"The disk must have {_BYTES_NEEDED >> 20} MB free for a run; {folder} has {free >> 20} MB. "
                "Try another --out, or make room."
            )
    except (OSError, OutputError):
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
