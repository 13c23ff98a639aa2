"""A run folder: one place for the model and everything that was learned on the way.

model.likely    the model
report.html     what to look at
metrics.json    the test figures, with intervals
history.jsonl   one line per record of training
config.json     what reproduces the run
row_hashes.npy  a hash of every row trained on, so that calibration on one of them is noticed
"""

import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likely.atomic import write_bytes, write_text
from likely.errors import OutputError

MODEL = "model.likely"
REPORT = "report.html"
METRICS = "metrics.json"
HISTORY = "history.jsonl"
CONFIG = "config.json"
ROW_HASHES = "row_hashes.npy"
_FILES = (MODEL, REPORT, METRICS, HISTORY, CONFIG, ROW_HASHES)
_BYTES_NEEDED = 64 * 2**20


class RunFolder:
    """A folder that has been checked to be ours to write to.

    Args:
        folder: where to write; None takes the first free `runs/NAME-N`.
        name: what the data set is called, for that default.
        overwrite: whether the files of an earlier run may be replaced.
    Raises:
        OutputError: if the folder holds another run, cannot be written, or the disk is nearly full. It is raised
            before any training.
    """

    def __init__(self, folder: str | Path | None, name: str, *, overwrite: bool = False) -> None:
        self.path = Path(folder) if folder is not None else _first_free(name)
        self._begun = self._existed = False
        try:
            self._existed = self.path.exists()
            _check_writable(self.path)
            present = {path.name for path in self.path.iterdir()}
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"The run folder must be a folder that can be written; {self.path} is not: {error.strerror}. "
                "Try another --out."
            ) from error
        taken = [file for file in _FILES if file in present]
        if taken and not overwrite:
            raise OutputError(
                f"The run folder must be new; {self.path} already holds {', '.join(taken)}. Try another --out, or "
                "--overwrite to replace it."
            )
        if present and not taken and not overwrite:
            raise OutputError(
                f"The run folder must be new; {self.path} holds other files. Try a new --out, or --overwrite."
            )

    def begin(self, config: Mapping[str, object]) -> None:
        """Write what reproduces the run, and clear what an earlier one left: once, when there is something new."""
        if self._begun:
            return
        self.write_json(CONFIG, config)
        for file in _FILES:
            if file != CONFIG:
                (self.path / file).unlink(missing_ok=True)
        self._begun = True

    def discard_unless_begun(self) -> None:
        """Leave no new folder behind of a run that never began; an earlier run stays as it was."""
        if not self._begun and not self._existed and not any(self.path.iterdir()):
            self.path.rmdir()

    def write_json(self, file: str, value: object) -> Path:
        """Write a value as JSON, whole or not at all."""
        path = self.path / file
        write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        return path

    def write_row_hashes(self, hashes: np.ndarray) -> None:
        """Write hashes of the rows trained on, sorted, so that their order says nothing."""
        buffer = io.BytesIO()
        np.save(buffer, np.sort(hashes), allow_pickle=False)
        write_bytes(self.path / ROW_HASHES, buffer.getvalue())

    def append_history(self, line: Mapping[str, object]) -> None:
        """Add a record; it is on disk at once, so that a killed run still leaves its history."""
        try:
            with (self.path / HISTORY).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(f"{self.path / HISTORY} must be writable; {error.strerror}.") from error


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The records of a run, in order."""
    text = (folder / HISTORY).read_text(encoding="utf-8") if (folder / HISTORY).exists() else ""
    return [json.loads(line) for line in text.splitlines() if line]


def read_row_hashes(folder: Path) -> np.ndarray | None:
    """The hashes in a run folder, or None; a file that is none says nothing."""
    try:
        hashes = np.load(folder / ROW_HASHES, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return hashes if hashes.dtype == np.uint64 and hashes.ndim == 1 else None


def _first_free(name: str) -> Path:
    stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(name).name) or "run"
    number = 1
    while (Path("runs") / f"{stem}-{number}").exists():
        number += 1
    return Path("runs") / f"{stem}-{number}"


def _check_writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".likely-") as probe:
        probe.write(b"\0" * 4096)
        probe.flush()
    free = shutil.disk_usage(folder).free
    if free < _BYTES_NEEDED:
        raise OutputError(
            f"The disk must have {_BYTES_NEEDED >> 20} MB free for a run; {folder} has {free >> 20} MB. "
            "Try another --out, or make room."
        )
