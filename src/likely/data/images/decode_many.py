"""Many images at once: read in parallel through the gate, and kept decoded for the next time.

    files -> heads and hashes of all -> one form -> decoded rows, from the cache or into it

Large sets never lie in memory: they are decoded into a file that is mapped, so that training needs a batch at a time.
"""

import hashlib
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np

from likely.config import RunConfig
from likely.config.processors import usable_cores
from likely.data.images.choose_backbone import BackboneChoice, choose_backbone
from likely.data.images.common_size import common_size
from likely.data.images.decode import ImageForm, image_shape, read_image
from likely.data.images.image_cache import Decoded, ImageCache
from likely.data.images.open_image import read_file
from likely.data.progress_callback import Progress
from likely.errors import DataError, ImageError
from likely.preprocessing.backbone import conversion_for, layout_of
from likely.preprocessing.stored_rows import RowArray

Source: TypeAlias = Path | bytes
"""A file, or the bytes of one."""

SHOWN = 5
_TOGETHER = 32
"""Images that a thread takes at a time."""
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Reading:
    """How the images in files are read.

    Args:
        image_size: resize all to this height and width; without it, see `common_size`.
        skip_bad: leave out what can't be read, instead of refusing the whole.
        progress: told how many have been read.
        form: what a model reads, whatever images are like.
        choose: (their usual shape, how many there are) -> the backbone that they are learned with, if any.
    """

    image_size: int | None = None
    skip_bad: bool = False
    progress: Progress | None = None
    form: ImageForm | None = None
    choose: Callable[[tuple[int, ...], int], BackboneChoice] | None = None

    def form_of(self, shapes: Sequence[tuple[int, ...]]) -> tuple[ImageForm, str]:
        """How images of these shapes are all read, in color if one of them has color; and what to say of their size."""
        if self.form is not None:
            return self.form, ""
        sizes = [(shape[0], shape[1]) for shape in shapes]
        channels = max(shape[2:] for shape in shapes)
        if self.choose is not None:
            height, width = (int(median) for median in np.median(np.array(sizes), axis=0))
            if (name := self.choose((height, width, *channels), len(shapes)).name) is not None:
                layout = layout_of(name)
                side = self.image_size or layout.side
                return ImageForm((side, side, *channels), conversion_for(layout)), ""
        size, note = common_size(sizes, self.image_size)
        return ImageForm((*size, *channels)), note


AS_THEY_ARE = Reading()


def reading(
    config: RunConfig, progress: Progress | None = None, form: ImageForm | None = None, *, as_they_are: bool = False
) -> Reading:
    """How a configuration says that images in files are read; `as_they_are`, if they are not meant for its network."""
    choose = None if as_they_are else partial(choose_backbone, config)
    return Reading(config.image_size, config.skip_bad, progress, form, choose)


@dataclass(frozen=True)
class Loaded:
    """Images as rows.

    Args:
        X: uint8 of shape (m, h, w), or (m, h, w, 3) if one of them has color; perhaps on disk.
        kept: which of the sources they are, of shape (m,).
        skipped: why each of the others could not be read.
        form: how each was read.
        note: what is to be said of their size; "" for nothing.
    """

    X: RowArray
    kept: np.ndarray
    skipped: tuple[str, ...]
    form: ImageForm
    note: str = ""


def load_images(sources: Sequence[Source], names: Sequence[str], how: Reading = AS_THEY_ARE) -> Loaded:
    """All the images at one size, gray if all of them are, else in color; or as a model reads them.

    A DataError names the first few that can't be read, unless `skip_bad` is given, or says that none is left.
    """
    named = list(zip(sources, names, strict=True))
    looked = dict(enumerate(_in_parallel(_head, named, "looking at images", how.progress)))
    failed = {i: head for i, head in looked.items() if isinstance(head, str)}
    heads = {i: head for i, head in looked.items() if not isinstance(head, str)}
    _refuse(failed, how.skip_bad, len(sources), decoded=False)
    usable = list(heads)
    digests = [digest for digest, _ in heads.values()]
    form, note = how.form_of([shape for _, shape in heads.values()])

    def decode(i: int) -> Decoded:
        name = names[usable[i]]
        try:
            content = _content(sources[usable[i]], name)
            if _digest(content) != digests[i]:
                raise ImageError(f"{name} must not change while it is read; it did. Wait until it is complete.")
            return read_image(content, shape=form.shape, conversion=form.conversion, name=name)
        except ImageError as error:
            return str(error)

    cache = ImageCache(digests, form)
    X, bad = _found(cache, decode) or cache.fill(
        lambda numbers: _in_parallel(decode, [(i,) for i in numbers], "decoding images", how.progress)
    )
    failed |= {usable[i]: reason for i, reason in bad.items()}
    _refuse(failed, how.skip_bad, len(sources), decoded=True)
    kept = np.array([number for i, number in enumerate(usable) if i not in bad], dtype=np.int64)
    return Loaded(X, kept, tuple(failed[i] for i in sorted(failed)), form, note)


def _head(source: Source, name: str) -> tuple[str, tuple[int, ...]] | str:
    """The hash of the file and the shape of its image, or why it has none."""
    try:
        content = _content(source, name)
        return _digest(content), image_shape(content, name=name)
    except ImageError as error:
        return str(error)


def _content(source: Source, name: str) -> bytes:
    return source if isinstance(source, bytes) else read_file(source, name)


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _found(cache: ImageCache, decode: Callable[[int], Decoded]) -> tuple[RowArray, dict[int, str]] | None:
    """What was kept, and why the rest can't be read; None if some of that can be read by now."""
    found = cache.find()
    if found is None:
        return None
    X, again = found[0], {i: decode(i) for i in found[1]}
    bad = {i: reason for i, reason in again.items() if isinstance(reason, str)}
    return (X, bad) if len(bad) == len(again) else None


def _refuse(failed: dict[int, str], skip_bad: bool, total: int, *, decoded: bool) -> None:
    if failed and not skip_bad:
        count = f"{len(failed):,} of {total:,} images can't be read:"
        what = count if decoded or len(failed) == total else f"At least {count}"
        raise bad_ones(what, [failed[i] for i in sorted(failed)])
    if len(failed) == total:
        first = f": {failed[0]}" if failed else ""
        raise DataError(f"At least one image must be readable; got {total:,}, none of them readable{first}")


def bad_ones(what: str, reasons: Sequence[str]) -> DataError:
    """An error with the first few reasons, a line each."""
    more = [f"(and {len(reasons) - SHOWN:,} more)"] if len(reasons) > SHOWN else []
    fix = "Fix or remove them, or try --skip-bad (skip_bad=True) to go on without them."
    return DataError("\n".join([what, *reasons[:SHOWN], *more, fix]))


def _in_parallel(
    work: Callable[..., _Result], arguments: Sequence[tuple[Any, ...]], what: str, progress: Progress | None
) -> Generator[_Result]:
    """The results in order, computed by a thread per core, never many of them waiting to be taken."""
    done, workers = 0, usable_cores()
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Future[list[_Result]]] = []
        starts = iter(range(0, len(arguments), _TOGETHER))

        def some(start: int) -> list[_Result]:
            return [work(*each) for each in arguments[start : start + _TOGETHER]]

        try:
            while True:
                waiting += [pool.submit(some, start) for start in islice(starts, 3 * workers - len(waiting))]
                if not waiting:
                    return
                for result in waiting.pop(0).result():
                    yield result
                    done += 1
                if progress is not None:
                    progress(what, done, len(arguments))
        finally:
            pool.shutdown(cancel_futures=True)
