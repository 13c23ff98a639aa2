import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from likely.data.images.fashion_mnist import CONTENTS, load_fashion_mnist
from likely.data.images.idx import find_idx

TYPE_CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, TYPE_CODES[array.dtype.str[1:]], array.ndim])
    axes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + axes + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="session")
def fashion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real Fashion-MNIST of this machine, wherever it lies, as four files ending in .gz."""
    source = Path(load_fashion_mnist().found_at)
    folder = tmp_path_factory.mktemp("fashion-mnist")
    for content in CONTENTS:
        path = find_idx(source, content.part, content.kind)
        assert path is not None
        target = folder / f"{content.name}.gz"
        if path.suffix == ".gz":
            target.symlink_to(path)
        else:
            target.write_bytes(gzip.compress(path.read_bytes(), 1))
    return folder


@pytest.fixture
def to_idx() -> Callable[[np.ndarray], bytes]:
    """The bytes of an array as an IDX file, written apart from the reader."""
    return idx_bytes


@pytest.fixture
def idx_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder of IDX files with `n` training and `n_test` test images; parts can be replaced by bytes."""

    def write(n: int = 40, n_test: int = 20, compress: bool = False, **replaced: np.ndarray | None) -> Path:
        rng = np.random.default_rng(0)
        folder = tmp_path / "idx"
        folder.mkdir()
        for prefix, count in (("train", n), ("t10k", n_test)):
            arrays: dict[str, np.ndarray | None] = {
                "images": rng.integers(0, 256, (count, 28, 28), dtype=np.uint8),
                "labels": (np.arange(count) % 10).astype(np.uint8),
            }
            for kind, array in arrays.items():
                array = replaced.get(f"{prefix}_{kind}", array)
                if array is None:
                    continue
                name = f"{prefix}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
                raw = idx_bytes(array)
                (folder / (name + ".gz" * compress)).write_bytes(gzip.compress(raw) if compress else raw)
        return folder

    return write
