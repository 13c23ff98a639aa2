"""Tables, arrays, settings, corrections and records of training that were changed."""

import gzip
import io
import json
import random
import zipfile
import zlib
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from tests.guarantees.fuzzing import Target
from tests.guarantees.mutations import as_text, changed_bytes, changed_json

from likely.config import RunConfig, load_config
from likely.data.corrections import apply_corrections
from likely.data.images.idx import read_idx
from likely.data.sources import open_configured, open_dataset
from likely.metrics.evaluation import Evaluation
from likely.model.run_folder import HISTORY, read_history, read_row_hashes
from likely.report.statements import curve


def frame(n: int = 24) -> pd.DataFrame:
    """Columns of every kind, and labels."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(size=n).round(3),
            "count": rng.integers(0, 1000, n),
            "kind": rng.choice(["red", "green", "blue, light"], n),
            "when": (pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 800, n), "D")).strftime("%Y-%m-%d"),
            "gaps": np.where(rng.random(n) < 0.2, np.nan, rng.random(n).round(2)),
            "y": np.where(np.arange(n) % 2, "yes", "no"),
        }
    )


@cache
def table_seeds(suffix: str) -> list[bytes]:
    """A table in this format, also packed, or with other marks."""
    file, X = io.BytesIO(), frame()
    if suffix in (".csv", ".tsv"):
        text = X.to_csv(index=False, sep="\t" if suffix == ".tsv" else ",").encode()
        return [text, X.to_csv(index=False, sep=";", decimal=",").encode(), b"\xef\xbb\xbf" + text]
    if suffix == ".csv.gz":
        return [gzip.compress(content, mtime=0) for content in table_seeds(".csv")]
    if suffix == ".jsonl":
        return [X.to_json(orient="records", lines=True).encode()]
    if suffix == ".parquet":
        X.to_parquet(file, compression=None)
        packed = io.BytesIO()
        X.to_parquet(packed)
        return [file.getvalue(), packed.getvalue()]
    X.to_excel(file, index=False)
    return [file.getvalue()]


def changed_table(content: bytes, rng: random.Random) -> bytes:
    """Bytes; cells of text; values of JSON lines; members of archives."""
    if rng.random() < 0.4:
        return changed_bytes(content, rng)
    if content.startswith(b"PK"):
        return changed_zip(content, rng)
    if content.startswith(b"\x1f\x8b"):
        try:
            return gzip.compress(changed_table(gzip.decompress(content)[:100_000], rng), mtime=0)
        except (OSError, EOFError, ValueError, zlib.error):
            return changed_bytes(content, rng)
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    if lines[at].startswith(b"{"):
        try:
            lines[at] = as_text(changed_json(json.loads(lines[at]), rng), rng).encode(errors="replace")
        except ValueError:
            lines[at] = b"{}"
    elif content.startswith(b"PAR1"):
        return changed_bytes(content, rng)
    else:
        mark = max((b",", b";", b"\t"), key=lines[0].count)
        cells = lines[at].split(mark)
        cells[rng.randrange(len(cells))] = rng.choice(CELLS)
        lines[at] = mark.join(cells)
    return b"\n".join(lines)


CELLS = (b"", b'"', b'""', b'"a\nb"', b"nan", b"1e999", b"-1e308", b"1,5", b"1.234,5", b"31.12.2020", b"0x10", b"\xff")
CELLS += (b"=1+1", b"\x1b[31m", b"x" * 70_000, b"9" * 400, b"NULL", b"12:30", b"5 mm", b"true", b"\x00", b",,,", b"y")


def changed_zip(content: bytes, rng: random.Random) -> bytes:
    """A member of the archive changed, and packed anew."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name)[:200_000] for name in archive.namelist()[:50]}
    except Exception:  # what was changed before
        return changed_bytes(content, rng)
    if not members:
        return content
    name = rng.choice(sorted(members))
    match rng.randrange(6):
        case 0:
            members.pop(name)
        case 1:
            members[rng.choice(("x.npy", "../x", "X.npy", "y.npy", "labels.npy", name + "x"))] = members[name]
        case _:
            members[name] = changed_bytes(members[name], rng)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def feed_table(path: Path) -> None:
    """Open it to learn from."""
    open_dataset(path, label="y")


def npz_seeds() -> list[bytes]:
    """Rows of numbers with texts, and images with numbers and names."""
    rng, found = np.random.default_rng(0), []
    y = np.arange(24) % 2
    for arrays in (
        {"X": rng.normal(size=(24, 3)), "y": np.where(y, "a", "b")},
        {"x_train": rng.integers(0, 255, (24, 8, 8), np.uint8), "y_train": y, "x_test": np.zeros((2, 8, 8), np.uint8)}
        | {"y_test": np.array([0, 1]), "classes": np.array(["no", "yes"])},
    ):
        file = io.BytesIO()
        np.savez(file, **arrays)
        found.append(file.getvalue())
    return found


def idx_seeds() -> list[bytes]:
    """Bytes of two and three axes, and floats, plain and packed."""
    images = bytes([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2]) + bytes(range(24))
    floats = bytes([0, 0, 13, 1, 0, 0, 0, 3]) + np.arange(3, dtype=">f4").tobytes()
    return [images, floats, gzip.compress(images, mtime=0)]


def changed_idx(content: bytes, rng: random.Random) -> bytes:
    """Bytes, also those inside of what is packed."""
    if content.startswith(b"\x1f\x8b") and rng.random() < 0.7:
        try:
            return gzip.compress(changed_bytes(gzip.decompress(content)[:100_000], rng), mtime=0)
        except (OSError, EOFError, ValueError, zlib.error):
            pass
    return changed_bytes(content, rng)


def config_seeds(suffix: str) -> list[bytes]:
    """Settings of two runs."""
    config = RunConfig(data="digits", events={"low": ("0", "1")}, hidden=(8, 8), time_limit=30.0)
    toml = b'data = "digits"\nepochs = 3.5\nhidden = [8, 8]\naugment = "shift"\n[events]\nlow = ["0", "1"]\n'
    return [json.dumps(config.to_json()).encode()] if suffix == ".json" else [toml]


def changed_text(content: bytes, rng: random.Random) -> bytes:
    """Values of JSON, each line by itself, or bytes."""
    if rng.random() < 0.3:
        return changed_bytes(content, rng)
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    try:
        lines[at] = as_text(changed_json(json.loads(lines[at]), rng), rng).encode(errors="surrogatepass")
    except ValueError:
        return changed_bytes(content, rng)
    return b"\n".join(lines)


@cache
def corrected() -> object:
    """Data whose labels are corrected."""
    return open_configured(RunConfig(data="iris"))


def feed_corrections(path: Path) -> None:
    """Correct labels of iris."""
    apply_corrections(corrected(), path)  # pyright: ignore[reportArgumentType]


def feed_history(path: Path) -> None:
    """Read the records as a report does."""
    path.replace(path.parent / HISTORY)
    history = read_history(path.parent)
    for keys in (("loss",), ("held_out", "nll"), ("held_out", "mse")):
        curve(history, *keys)


def feed_hashes(path: Path) -> None:
    """Whatever the file is, it says nothing or hashes."""
    path.replace(path.parent / "row_hashes.npy")
    found = read_row_hashes(path.parent)
    assert found is None or found.dtype == np.uint64


def hashes_seeds() -> list[bytes]:
    """Hashes of three rows."""
    file = io.BytesIO()
    np.save(file, np.arange(3, dtype=np.uint64))
    return [file.getvalue()]


def feed_metrics(path: Path) -> None:
    """Figures as a card keeps them."""
    try:
        found = Evaluation.from_json(json.loads(path.read_bytes()))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return
    assert found.to_json() is not None
    for figure, value in found.figures():
        assert figure.with_unit(value if isinstance(value, float) else value.value) is not None


def metrics_seeds() -> list[bytes]:
    """What an evaluation of a few answers says."""
    share = {"value": 0.5, "low": 0.1, "high": 0.9}
    classes = [{"label": c, "precision": None, "recall": 0.5, "f1": 0.5, "support": 3, "too_few": True} for c in "ab"]
    sets = [{"coverage": 0.9, "expected": {"low": 0.8, "high": 1.0}, "covered": share, "size": share, "sizes": [0, 4]}]
    event = {"n": 5, "frequency": share, "nll": share, "brier": share, "ece": share, "ece_floor": share}
    found = {"n": 5, "accuracy": share, "nll": share, "ece_plugin": 0.1, "per_class": classes, "sets": sets}
    return [json.dumps({**found, "confusion": [[1, 2], [3, 4]], "events": {"e": event}}).encode()]


TABLES = [
    Target(suffix[1:].replace(".", "-"), partial(table_seeds, suffix), changed_table, feed_table, suffix)
    for suffix in (".csv", ".tsv", ".csv.gz", ".jsonl", ".parquet", ".xlsx")
]
NPZ = Target("npz", npz_seeds, changed_zip, lambda path: open_dataset(path), ".npz")
IDX = Target("idx", idx_seeds, changed_idx, lambda path: read_idx(path), "-ubyte")
CONFIGS = [
    Target(f"config-{suffix[1:]}", partial(config_seeds, suffix), changed_text, load_config, suffix)
    for suffix in (".json", ".toml")
]
CORRECTIONS = Target(
    "corrections",
    lambda: [b"row,given,suggested,label\n0,setosa,virginica,virginica\n"],
    changed_table,
    feed_corrections,
    ".csv",
)
HISTORY_LINES = b'{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.4, "held_out": {"accuracy": 0.5, "nll": 0.6}}\n'
HISTORIES = Target("history", lambda: [HISTORY_LINES], changed_text, feed_history, ".jsonl")
METRICS = Target("metrics", metrics_seeds, changed_text, feed_metrics, ".json")
HASHES = Target("row-hashes", hashes_seeds, changed_bytes, feed_hashes, ".npy")
