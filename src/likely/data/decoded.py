"""Many pictures at once: read in parallel through the gate, and kept decoded for the next time.

    files -> heads and hashes of all -> one shape -> decoded rows, from the cache or into it

Large sets never lie in memory: they are decoded into a file that is mapped, so that training needs a batch at a time.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np

from likely.data.cache import cache_folder
from likely.data.picture import picture_shape, read_picture
from likely.data.progress import Progress
from likely.errors import DataError, PictureError
from likely.stored_rows import RowArray, StoredRows

Source: TypeAlias = Path | bytes
"""A file, or the bytes of one."""

GATE_VERSION = 1
"""Raised whenever the same file would become other pixels, so that nothing stale is taken from the cache."""

SHOWN = 5
KEPT_FROM = 4 << 20
"""Bytes of decoded pictures from which they are kept: fewer are decoded again before one notices."""

ON_DISK_FROM = 64 << 20
"""Bytes of decoded pictures from which they stay on disk."""

CACHE_BYTES = 20 << 30
"""What the decoded pictures of all sets may take; those that were not used for longest make room."""

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Loaded:
    """Pictures as rows.

    Args:
        X: uint8 of shape (m, h, w), or (m, h, w, 3) if one of them has color; perhaps on disk.
        kept: which of the sources they are, of shape (m,).
        skipped: why each of the others could not be read.
        digests: a hash of the file of each row: equal files have equal ones.
    """

    X: RowArray
    kept: np.ndarray
    skipped: tuple[str, ...]
    digests: tuple[str, ...]


def load_pictures(
    sources: Sequence[Source],
    names: Sequence[str],
    *,
    image_size: int | None = None,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> Loaded:
    """All the pictures at one size, gray if all of them are, else in color.

    Args:
        sources: files, or their bytes.
        names: what to call them in errors.
        image_size: resize all to this height and width; without it they must have one size.
        skip_bad: leave out what can't be read, instead of refusing the whole.
        progress: told how many have been read.
    Raises:
        DataError: if sizes differ without `image_size`, a picture can't be read and `skip_bad` is not given, or none
            is left; it names the first few.
    """
    heads: dict[int, tuple[str, tuple[int, ...]]] = {}
    failed: dict[int, PictureError] = {}
    named = list(zip(sources, names, strict=True))
    for i, head in enumerate(_in_parallel(_head, named, "looking at pictures", progress)):
        if isinstance(head, PictureError):
            failed[i] = head
        else:
            heads[i] = head
    _refuse(failed, skip_bad, len(sources))
    usable = list(heads)
    digests = [digest for digest, _ in heads.values()]
    shape = _common_shape({heads[i][1]: names[i] for i in reversed(usable)}, image_size)

    entry = _Entry(digests, shape)
    found = entry.open()
    if found is None:
        found = entry.fill([sources[i] for i in usable], [names[i] for i in usable], shape, progress)
    X, bad = found
    failed |= {usable[i]: PictureError(f"{names[usable[i]]}{reason}") for i, reason in bad.items()}
    _refuse(failed, skip_bad, len(sources))
    good = [i for i in range(len(usable)) if i not in bad]
    return Loaded(
        X,
        np.array([usable[i] for i in good], dtype=np.int64),
        tuple(str(failed[i]) for i in sorted(failed)),
        tuple(digests[i] for i in good),
    )


def _head(source: Source, name: str) -> tuple[str, tuple[int, ...]] | PictureError:
    """The hash of the file and the shape of its picture, or why it has none."""
    try:
        # The gate opens it first: it says what is wrong with a folder or a pipe.
        shape = picture_shape(source, name=name)
        content = source if isinstance(source, bytes) else source.read_bytes()
    except PictureError as error:
        return error
    except OSError as error:
        return PictureError(f"{name} must be readable; got: {error.strerror}.")
    return hashlib.blake2b(content, digest_size=16).hexdigest(), shape


def _refuse(failed: dict[int, PictureError], skip_bad: bool, total: int) -> None:
    if failed and not skip_bad:
        shown = [str(failed[i]) for i in sorted(failed)[:SHOWN]]
        more = f"\n(and {len(failed) - SHOWN:,} more)" if len(failed) > SHOWN else ""
        raise DataError(
            "\n".join([f"{len(failed):,} of {total:,} pictures can't be read:", *shown])
            + more
            + "\nMend or remove them, or try --skip-bad (skip_bad=True) to go on without."
        )
    if len(failed) == total:
        first = f": {failed[0]}" if failed else ""
        raise DataError(f"There must be pictures that can be read; got {total:,}, none of them readable{first}")


def _common_shape(shapes: dict[tuple[int, ...], str], image_size: int | None) -> tuple[int, ...]:
    """The shape that all pictures are read as, from each shape and the name of one that has it."""
    sizes = {shape[:2]: name for shape, name in shapes.items()}
    if image_size is None and len(sizes) > 1:
        (first, one), (second, other) = list(sizes.items())[-1], list(sizes.items())[-2]
        raise DataError(
            f"Pictures must have one size; got {first[0]} x {first[1]} in {one} and {second[0]} x {second[1]} in "
            f"{other}. The network has one input per pixel. Try image_size={min(first)} (--image-size {min(first)}) to "
            "resize them all."
        )
    size = next(iter(sizes)) if image_size is None else (image_size, image_size)
    return size if all(len(shape) == 2 for shape in shapes) else (*size, 3)


class _Entry:
    """The decoded rows of these files at this shape in the cache: KEY.npy, and KEY.json with what could not be read."""

    def __init__(self, digests: Sequence[str], shape: tuple[int, ...]) -> None:
        self.n_bytes = len(digests) * int(np.prod(shape))
        key = hashlib.sha256("\n".join([f"{GATE_VERSION} {shape}", *digests]).encode()).hexdigest()[:32]
        self.folder = cache_folder() / "pictures"
        self.rows, self.facts = self.folder / f"{key}.npy", self.folder / f"{key}.json"
        self.n_rows, self.shape = len(digests), shape

    def open(self) -> tuple[RowArray, dict[int, str]] | None:
        """What was kept, if it is whole."""
        try:
            facts = json.loads(self.facts.read_text(encoding="utf-8"))
            bad = {int(i): str(reason) for i, reason in facts["bad"].items()}
            X = np.load(self.rows, mmap_mode="c", allow_pickle=False)
            if X.shape != (self.n_rows - len(bad), *self.shape) or X.dtype != np.uint8 or facts["sum"] != _checksum(X):
                return None
            os.utime(self.rows)
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return None
        return _placed(X), bad

    def fill(
        self, sources: Sequence[Source], names: Sequence[str], shape: tuple[int, ...], progress: Progress | None
    ) -> tuple[RowArray, dict[int, str]]:
        """Decode them, and keep them if they are worth it and the cache can be written."""
        if self.n_bytes < KEPT_FROM:
            return self._decode(np.empty((len(sources), *shape), np.uint8), sources, names, shape, progress)
        temporary = None
        try:
            temporary = self._reserve()
            X = np.lib.format.open_memmap(temporary, "w+", np.uint8, (len(sources), *shape))
        except OSError:
            # No room, or no right to write: then they lie in memory.
            if temporary is not None:
                temporary.unlink(missing_ok=True)
            return self._decode(np.empty((len(sources), *shape), np.uint8), sources, names, shape, progress)
        try:
            rows, bad = self._decode(X, sources, names, shape, progress)
            if bad:
                del X
                _shorten(temporary, len(rows), shape)
            else:
                X.flush()
                del X
            del rows
            checksum = _checksum(np.load(temporary, mmap_mode="r"))
            facts = {"bad": {str(i): reason for i, reason in bad.items()}, "sum": checksum}
            temporary.replace(self.rows)
            written = self.facts.with_suffix(f".{os.getpid()}.part")
            written.write_text(json.dumps(facts), encoding="utf-8")
            written.replace(self.facts)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return _placed(np.load(self.rows, mmap_mode="c")), bad

    def _reserve(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        _make_room(self.folder, self.n_bytes)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self.folder)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, self.n_bytes)  # a full disk is told now, not by a crash while writing
        except OSError:
            Path(name).unlink()
            raise
        finally:
            os.close(handle)
        return Path(name)

    @staticmethod
    def _decode(
        X: np.ndarray,
        sources: Sequence[Source],
        names: Sequence[str],
        shape: tuple[int, ...],
        progress: Progress | None,
    ) -> tuple[np.ndarray, dict[int, str]]:
        """The rows that could be read, moved together, and why the others could not, without their names."""

        def decode(source: Source, name: str) -> np.ndarray | str:
            try:
                return read_picture(source, shape=shape, name=name)
            except PictureError as error:
                return str(error).removeprefix(name)

        bad: dict[int, str] = {}
        end = 0
        for i, picture in enumerate(
            _in_parallel(decode, list(zip(sources, names, strict=True)), "decoding pictures", progress)
        ):
            if isinstance(picture, str):
                bad[i] = picture
                continue
            X[end] = picture
            end += 1
        return X[:end], bad


def _placed(X: np.ndarray) -> RowArray:
    """Small sets in memory, large ones on disk."""
    return np.array(X) if X.nbytes < ON_DISK_FROM else StoredRows(X)


def _shorten(path: Path, n_rows: int, shape: tuple[int, ...]) -> None:
    """Cut a stored array off after so many rows; its head keeps its length, since it is padded."""
    with path.open("r+b") as file:
        version = np.lib.format.read_magic(file)
        assert version == (1, 0)
        np.lib.format.read_array_header_1_0(file)
        start = file.tell()
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (n_rows, *shape)})
        assert file.tell() == start
        file.truncate(start + n_rows * int(np.prod(shape)))


def _checksum(X: np.ndarray) -> str:
    """Of about a thousand rows, spread over the whole: a file that was cut off or overwritten shows, at little cost."""
    digest = hashlib.blake2b(digest_size=16)
    for i in np.unique(np.linspace(0, len(X) - 1, 1000).astype(int)) if len(X) else ():
        digest.update(X[i].tobytes())
    return digest.hexdigest()


def _make_room(folder: Path, n_bytes: int) -> None:
    """Remove the sets that were not used for longest until so many bytes fit."""
    kept = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime)
    total = n_bytes + sum(path.stat().st_size for path in kept)
    for path in kept:
        if total <= CACHE_BYTES:
            return
        total -= path.stat().st_size
        with suppress(OSError):
            path.unlink()
            path.with_suffix(".json").unlink()


def _in_parallel(
    work: Callable[..., _Result], arguments: Sequence[tuple[Any, ...]], what: str, progress: Progress | None
) -> Iterator[_Result]:
    """The results in order, computed by a thread per core, never many of them waiting to be taken."""
    done, workers = 0, os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Future[list[_Result]]] = []
        chunks = _chunks(arguments)
        try:
            while True:
                waiting += [pool.submit(_each, work, chunk) for chunk in islice(chunks, 3 * workers - len(waiting))]
                if not waiting:
                    return
                for result in waiting.pop(0).result():
                    yield result
                    done += 1
                if progress is not None:
                    progress(what, done, len(arguments))
        finally:
            pool.shutdown(cancel_futures=True)


def _chunks(arguments: Sequence[tuple[Any, ...]], size: int = 32) -> Iterator[Sequence[tuple[Any, ...]]]:
    for start in range(0, len(arguments), size):
        yield arguments[start : start + size]


def _each(work: Callable[..., _Result], arguments: Iterable[tuple[Any, ...]]) -> list[_Result]:
    return [work(*each) for each in arguments]
