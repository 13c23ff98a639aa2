"""Fashion-MNIST: 60,000 + 10,000 gray images of clothes, 28 x 28, found on this machine or fetched, always verified.

Reference: Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv 1708.07747.
"""

import hashlib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from likely.config.cache_folder import cache_folder
from likely.data.dataset import Dataset, Part
from likely.data.download import download
from likely.data.images.idx import find_idx, names_of, parse_idx, read_raw
from likely.data.progress_callback import Progress
from likely.errors import DamagedFileWarning, DataError, OutputError
from likely.preprocessing.conversion import PRODUCT_PHOTO

NAME = "fashion-mnist"
LABELS = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")
SPLIT_NOTE = "The training and test parts are those of its authors."


@dataclass(frozen=True)
class Content:
    """What one of the four files holds once decompressed: packagers compress again, the content stays."""

    part: str
    kind: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """As its authors called the file."""
        return names_of(self.part, self.kind)[0]


# The small ones first: they tell soonest that a folder holds something else.
CONTENTS = (
    Content("test", "labels", 10_008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    Content("train", "labels", 60_008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    Content("test", "images", 7_840_016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    Content("train", "images", 47_040_016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
)


def load_fashion_mnist(
    data_folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    *,
    url: str = URL,
    time_out: float = 30.0,
    system_folder: Path = SYSTEM_FOLDER,
) -> Dataset:
    """Fashion-MNIST from the first place that has it.

    The places: `data_folder`, or else the folder in the environment variable LIKELY_DATA, and then no other; else the
    user's cache, the folder of Debian's package, and the official download into the cache. The content of every file
    is compared with its SHA-256 before it is used.

    Args:
        data_folder: a folder with the four IDX files, plain or in gzip, itself or in its subfolder "fashion-mnist".
        progress: told how far a download is.
        url: the address of the folder to download from.
        time_out: seconds without a byte after which an attempt to download ends.
        system_folder: where the operating system's package puts the files.
    Raises:
        DataError: if a folder that was asked for lacks a file or holds a wrong one, which it names; or if no place
            has the data: then it lists every place with the reason, and the ways out.
    """
    chosen = data_folder or os.environ.get("LIKELY_DATA")
    if chosen:
        # Unlike Path.expanduser, it leaves what it can not expand as it is.
        folder = Path(os.path.expanduser(chosen))  # noqa: PTH111
        nested = folder / NAME
        return _read_folder(nested if _missing(folder) and nested.is_dir() else folder)
    cache = cache_folder() / NAME
    tried: list[str] = []
    for folder in (cache, system_folder):
        missing = _missing(folder)
        if missing:
            tried.append(f"{folder}: " + (f"no {', '.join(missing)}" if folder.is_dir() else "no such folder"))
            continue
        try:
            return _read_folder(folder)
        except DataError as error:
            tried.append(str(error))
            warnings.warn(f"Damaged data was skipped. {error}", DamagedFileWarning, stacklevel=2)
    try:
        _download_missing(cache, url, time_out, progress)
        return _read_folder(cache)
    except (DataError, OutputError) as error:
        tried.append(str(error))
    raise DataError(
        "Fashion-MNIST was not found on this machine and could not be downloaded. Tried:\n"
        + "\n".join(f"  - {reason}" for reason in tried)
        + "\nTry one of these:\n"
        "  - on Debian or Ubuntu: apt install dataset-fashion-mnist\n  - download the four files from "
        f"https://github.com/zalandoresearch/fashion-mnist into {cache}\n  - pass the folder that holds them: --data "
        "FOLDER, or LIKELY_DATA=FOLDER in the environment"
    )


def open_named(name: str, data_folder: str | os.PathLike[str] | None, progress: Progress | None) -> Dataset:
    """Fashion-MNIST, as a row of `DATA_SETS`."""
    del name
    return load_fashion_mnist(data_folder, progress)


def recognize(folder: Path) -> Dataset | None:
    """The data set, if the folder's four files are those of Fashion-MNIST; None if any one is not."""
    try:
        return _read_folder(folder)
    except DataError:
        return None


def at_hand() -> Dataset | None:
    """The data set, if this machine has it: nothing is downloaded."""
    places = [os.environ.get("LIKELY_DATA"), cache_folder() / NAME, SYSTEM_FOLDER]
    found = (recognize(Path(place)) for place in places if place)
    return next((dataset for dataset in found if dataset is not None), None)


def _missing(folder: Path) -> list[str]:
    return [content.name for content in CONTENTS if find_idx(folder, content.part, content.kind) is None]


def _read_folder(folder: Path) -> Dataset:
    missing = _missing(folder)
    if missing:
        raise DataError(
            f"{folder} must hold the four files of Fashion-MNIST; got {'a' if folder.is_dir() else 'no such'} folder "
            f"without {', '.join(missing)} (or the same in .gz). Add them, or pass another folder."
        )
    arrays: dict[tuple[str, str], np.ndarray] = {}
    for content in CONTENTS:
        path = find_idx(folder, content.part, content.kind) or folder / content.name
        arrays[content.part, content.kind] = parse_idx(_verified(path, content), path)
    train, test = (Part(arrays[part, "images"], arrays[part, "labels"].astype(np.int64)) for part in ("train", "test"))
    return Dataset(
        NAME,
        "classification",
        train,
        test,
        labels=LABELS,
        hflip=True,
        conversion=dict(PRODUCT_PHOTO),
        found_at=str(folder),
        notes=(SPLIT_NOTE,),
    )


def _verified(path: Path, content: Content) -> bytes:
    """The file's content; an error that names the file if it is not the one published, which is then never used."""
    raw = read_raw(path, size=content.size)
    if len(raw) != content.size or hashlib.sha256(raw).hexdigest() != content.sha256:
        size = f"more than {content.size:,}" if len(raw) > content.size else f"{len(raw):,}"
        raise DataError(
            f"{path} must hold {content.name} of Fashion-MNIST, {content.size:,} bytes with SHA-256 "
            f"{content.sha256[:12]}...; got {size} bytes of something else. The file is damaged or a different one. "
            "Try downloading it again."
        )
    return raw


def _download_missing(cache: Path, url: str, time_out: float, progress: Progress | None) -> None:
    for content in CONTENTS:
        present = find_idx(cache, content.part, content.kind)
        if present is not None:
            try:
                _verified(present, content)
                continue
            except DataError:
                present.unlink()  # it would hide the right one
        target = cache / f"{content.name}.gz"
        download(
            url + target.name,
            target,
            verify=lambda path, content=content: _verified(path, content),
            # Compressed it is smaller, or at worst a little larger.
            max_bytes=content.size + 65_536,
            time_out=time_out,
            progress=progress,
        )
