import contextlib
import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from likely.data.images.idx import open_idx_folder, parse_idx, read_idx, read_raw
from likely.data.sources import open_dataset
from likely.errors import DataError

ToIdx = Callable[[np.ndarray], bytes]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    array=hnp.arrays(
        st.sampled_from([np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64]).map(np.dtype),
        hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
        elements=st.integers(0, 100),
    )
)
def test_what_is_written_is_read_back(array: np.ndarray, to_idx: ToIdx) -> None:
    back = parse_idx(to_idx(array), Path("x"))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@given(raw=st.binary(max_size=64), code=st.sampled_from([8, 9, 11, 14, 77]), axes=st.integers(0, 3))
def test_no_other_error_than_a_data_error_escapes(raw: bytes, code: int, axes: int) -> None:
    with contextlib.suppress(DataError):
        assert parse_idx(bytes([0, 0, code, axes]) + raw, Path("some-file")).ndim == axes


def test_plain_and_gzip_are_told_apart_by_content(tmp_path: Path, to_idx: ToIdx) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a.gz").write_bytes(to_idx(array))
    (tmp_path / "b").write_bytes(gzip.compress(to_idx(array)))
    for name in "a.gz", "b":
        np.testing.assert_array_equal(read_idx(tmp_path / name), array)


def test_arrays_can_be_written_to(tmp_path: Path, to_idx: ToIdx) -> None:
    (tmp_path / "a").write_bytes(to_idx(np.zeros(3, dtype=np.uint8)))
    read_idx(tmp_path / "a")[0] = 1


def test_real_labels_agree_with_numpy(fashion_folder: Path) -> None:
    path = fashion_folder / "t10k-labels-idx1-ubyte.gz"
    expected = np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint8, offset=8)
    np.testing.assert_array_equal(read_idx(path), expected)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "got nothing"),
        (b"\x00\x00", "got 00 00"),
        (b"\x89PNG\r\n\x1a\n", "got 89 50 4e 47"),
        (b"\x00\x00\x07\x01\x00\x00\x00\x00", "must start like an IDX file"),
        (b"\x00\x00\x08\x00", "must start like an IDX file"),
        (b"\x00\x00\x08\x03\x00\x00", "header of 16 bytes; got 6"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x03ab", "truncated"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x03abcd", "extra bytes at the end"),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_a_damaged_file_is_named(raw: bytes, message: str, compress: bool, tmp_path: Path) -> None:
    path = tmp_path / "broken-idx1-ubyte"
    path.write_bytes(gzip.compress(raw) if compress else raw)
    with pytest.raises(DataError, match=f"broken-idx1-ubyte.*{message}"):
        read_idx(path)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("axes", [(0xFFFFFFFF,), (60_000, 28_000, 28), (0xFFFFFFFF,) * 4])
def test_a_header_that_claims_gigabytes_reserves_none(axes: tuple[int, ...], compress: bool, tmp_path: Path) -> None:
    raw = bytes([0, 0, 8, len(axes)]) + b"".join(size.to_bytes(4, "big") for size in axes) + bytes(1000)
    path = tmp_path / "huge"
    path.write_bytes(gzip.compress(raw) if compress else raw)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="huge must have the size that its header states"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_read_no_further_than_the_header_allows(tmp_path: Path) -> None:
    raw = b"\x00\x00\x08\x01\x00\x00\x00\x03abc" + bytes(200_000_000)
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(raw, 1))
    assert len(read_raw(path)) == 12
    assert len(read_raw(path, size=100)) == 101
    with pytest.raises(DataError, match="extra bytes at the end"):
        read_idx(path)


@pytest.mark.parametrize("cut", [1, 9, 40])
def test_a_truncated_gzip_file_is_named(cut: int, tmp_path: Path, to_idx: ToIdx) -> None:
    path = tmp_path / "cut.gz"
    whole = gzip.compress(to_idx(np.arange(200, dtype=np.uint8)))
    path.write_bytes(whole[:-cut])
    with pytest.raises(DataError, match=r"cut\.gz"):
        read_idx(path)


def test_a_flipped_byte_in_gzip_is_named(tmp_path: Path, to_idx: ToIdx) -> None:
    path = tmp_path / "flipped.gz"
    data = bytearray(gzip.compress(to_idx(np.arange(200, dtype=np.uint8))))
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"flipped\.gz"):
        read_idx(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file exists"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(DataError, match="must be readable"):
        read_idx(tmp_path)


@pytest.mark.parametrize("compress", [False, True])
def test_a_folder_becomes_a_data_set_of_digits(compress: bool, idx_folder: Callable[..., Path]) -> None:
    dataset = open_dataset(idx_folder(compress=compress))
    assert dataset.labels == tuple("0123456789")
    assert dataset.train.X.shape == (40, 28, 28)
    assert dataset.test is not None
    assert dataset.test.y.tolist() == [i % 10 for i in range(20)]
    assert (dataset.hflip, dataset.conversion) == (False, None)


def test_names_with_a_dot_are_found(idx_folder: Callable[..., Path]) -> None:
    folder = idx_folder()
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert len(open_idx_folder(folder).train) == 40


def test_a_folder_without_a_test_part(idx_folder: Callable[..., Path]) -> None:
    assert open_dataset(idx_folder(t10k_images=None, t10k_labels=None)).test is None


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"train_labels": None}, "must hold train-labels-idx1-ubyte"),
        ({"t10k_images": None}, "must hold t10k-images-idx3-ubyte"),
        ({"train_labels": np.zeros(39, np.uint8)}, "got 40 images and 39 labels"),
        ({"train_labels": np.array([*range(10)] * 3 + [11] * 10, np.uint8)}, "got 11 at row 30"),
        ({"train_labels": np.zeros((40, 1), np.uint8)}, r"shape \(40, 1\)"),
        ({"train_images": np.zeros((40, 28, 28), np.float32)}, "got float32"),
        ({"t10k_images": np.zeros((20, 32, 32), np.uint8)}, "must have one size"),
        ({"train_images": np.zeros((40, 28, 28), np.uint8)}, "all a single color"),
        ({"train_labels": np.zeros(40, np.uint8)}, "got only one: '0'"),
        ({"train_labels": np.arange(40, dtype=np.uint8) % 9}, "must have a training row; got none of '9'"),
        (
            {
                "train_images": np.zeros((0, 28, 28), np.uint8),
                "train_labels": np.zeros(0, np.uint8),
            },
            "must have rows",
        ),
    ],
)
def test_what_can_not_be_learned_from_is_refused(
    replaced: dict[str, np.ndarray | None], message: str, idx_folder: Callable[..., Path]
) -> None:
    folder = idx_folder(**replaced)
    with pytest.raises(DataError, match=message):
        open_dataset(folder)
