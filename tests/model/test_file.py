"""The model file: what goes in comes out, damage is refused, and a failed writing leaves no trace."""

import contextlib
import hashlib
import json
import os
import pickle
import resource
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from tests.without_privileges import without_privileges

from likely import atomic
from likely.errors import ModelFileError, OutputError
from likely.model import file as model_file
from likely.model.expected_arrays import expect_arrays

DOCUMENT: dict[str, Any] = {
    "labels": ["T-shirt/top", "Größe", '"quoted"\\', "\udcff", ""],
    "none": None,
    "numbers": [0, -1, 2**70, 0.1, 1e-300, True],
    "nested": {"b": {"c": []}, "a": {}},
}


def arrays_of_all_kinds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "theta.layer0": rng.normal(size=(5, 3)),
        "float32": rng.normal(size=(2, 3, 4)).astype(np.float32),
        "float16": np.array([1.5, -2], np.float16),
        "int64": np.array([-(2**63), 2**63 - 1]),
        "uint8": np.arange(256, dtype=np.uint8),
        "int8": np.array([[-128], [127]], np.int8),
        "bool": np.array([True, False, True]),
        "scalar": np.asarray(np.float32(2.5)),
        "empty": np.zeros((0, 3)),
        "größe": np.ones(1),
    }


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.likely"
    model_file.write(path, {"theta": np.array([[1.0, 2.0]]), "n": np.array([3], np.uint8)}, {"labels": ["a", "b"]})
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def forge(path: Path, content: bytes) -> Path:
    """Give bytes that start like a model file the checksum that fits them."""
    at = content.index(b'\\"checksum\\":\\"') + len(b'\\"checksum\\":\\"')
    blank = content[:at] + b"0" * 64 + content[at + 64 :]
    path.write_bytes(content[:at] + hashlib.sha256(blank).hexdigest().encode() + content[at + 64 :])
    return path


def with_header(header: str, data: bytes = b"") -> bytes:
    encoded = header.encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


def header(document: str = "{}", version: str = "1", more: str = "") -> str:
    inner = f'{{"checksum":"{"0" * 64}","document":{document},"format":{version}}}'
    return f'{{"__metadata__":{{"likely":{json.dumps(inner)}}}{more}}}'


# What goes in comes out


def test_arrays_and_document_come_back_equal(tmp_path: Path) -> None:
    before = arrays_of_all_kinds()
    model_file.write(tmp_path / "m.likely", before, DOCUMENT)
    after, document = model_file.read(tmp_path / "m.likely")
    assert document == DOCUMENT
    assert list(after) == sorted(before)
    for name, array in before.items():
        assert after[name].dtype == array.dtype
        assert after[name].shape == array.shape
        assert np.array_equal(after[name], array)
        assert after[name].flags.writeable
        assert after[name].flags.aligned


def test_read_document_equals_the_document_of_read(small: Path) -> None:
    assert model_file.read_document(small) == model_file.read(small)[1] == {"labels": ["a", "b"]}


def test_same_content_gives_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    a = arrays_of_all_kinds()
    model_file.write(one, a, {"x": 1, "y": {"p": 2, "q": 3}})
    model_file.write(two, dict(reversed(a.items())), {"y": {"q": 3, "p": 2}, "x": 1})
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.T,
        lambda a: a[::2, 1::2],
        lambda a: a[::-1],
        lambda a: np.asfortranarray(a),
        lambda a: a.astype(">f8"),
        lambda a: np.broadcast_to(a[0], a.shape),
    ],
    ids=["transposed", "strided", "reversed", "fortran", "big-endian", "broadcast"],
)
def test_any_memory_layout_is_stored_by_its_values(tmp_path: Path, view: Callable[[np.ndarray], np.ndarray]) -> None:
    array = view(np.arange(24.0).reshape(4, 6))
    model_file.write(tmp_path / "m", {"a": array}, {})
    assert np.array_equal(model_file.read(tmp_path / "m")[0]["a"], array)


def test_any_safetensors_reader_opens_the_file(tmp_path: Path) -> None:
    before = arrays_of_all_kinds()
    model_file.write(tmp_path / "m", before, DOCUMENT)
    after = safetensors.numpy.load_file(tmp_path / "m")
    assert all(np.array_equal(after[name], before[name]) for name in before)
    with safetensors.safe_open(tmp_path / "m", framework="np") as file:
        assert set(file.metadata()) == {"likely"}
        envelope = json.loads(file.metadata()["likely"])
    assert envelope["document"] == DOCUMENT
    assert envelope["format"] == 1


def test_the_checksum_is_the_documented_one(small: Path) -> None:
    content = small.read_bytes()
    header_end = 8 + int.from_bytes(content[:8], "little")
    stored = json.loads(json.loads(content[8:header_end])["__metadata__"]["likely"])["checksum"]
    assert hashlib.sha256(content.replace(stored.encode(), b"0" * 64)).hexdigest() == stored


def test_a_model_without_arrays_is_a_file_too(tmp_path: Path) -> None:
    model_file.write(tmp_path / "m", {}, {})
    assert model_file.read(tmp_path / "m") == ({}, {})


def test_tuples_come_back_as_lists(tmp_path: Path) -> None:
    model_file.write(tmp_path / "m", {}, {"shape": (28, 28)})
    assert model_file.read_document(tmp_path / "m") == {"shape": [28, 28]}


# Damage


def assert_refused(path: Path, match: str | None = None) -> None:
    for door in (model_file.read, model_file.read_document):
        with pytest.raises(ModelFileError, match=match) as caught:
            door(path)
        assert str(path) in str(caught.value)


def test_every_flipped_byte_is_refused(small: Path, tmp_path: Path) -> None:
    content = small.read_bytes()
    other = tmp_path / "flipped"
    for i in range(len(content)):
        for mask in (0x01, 0x20, 0xFF):
            other.write_bytes(content[:i] + bytes([content[i] ^ mask]) + content[i + 1 :])
            assert_refused(other)


def test_random_flips_in_a_larger_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    rng = np.random.default_rng(1)
    model_file.write(path, {f"layer{i}": rng.normal(size=(100, 300)) for i in range(10)}, DOCUMENT)
    content = bytearray(path.read_bytes())
    assert len(content) > 2 << 20
    for i in rng.integers(len(content), size=60):
        content[i] ^= 1
        path.write_bytes(content)
        assert_refused(path)
        content[i] ^= 1
    path.write_bytes(content)
    assert model_file.read_document(path) == DOCUMENT


def test_every_truncation_is_refused(small: Path, tmp_path: Path) -> None:
    content = small.read_bytes()
    other = tmp_path / "short"
    for length in range(len(content)):
        other.write_bytes(content[:length])
        assert_refused(other)


@pytest.mark.parametrize("end", [b"\0", b"x" * 100])
def test_bytes_behind_the_end_are_refused(small: Path, end: bytes) -> None:
    small.write_bytes(small.read_bytes() + end)
    assert_refused(small, "checksum")


# Foreign files


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.likely"
    path.write_bytes(pickle.dumps(Bomb(), protocol))
    assert_refused(path, "pickle" if protocol >= 2 else "another kind")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("old", [False, True])
def test_a_torch_file_is_refused(tmp_path: Path, old: bool) -> None:
    path = tmp_path / "model.likely"
    torch.save({"theta": torch.zeros(3)}, path, _use_new_zipfile_serialization=not old)
    assert_refused(path, "a pickle" if old else "a zip archive")


def test_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.likely"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", "x")
    assert_refused(path, "a zip archive")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.likely"
    for content, match in [
        (b"", "an empty file"),
        (b"hello", "another kind"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "another kind"),
        (bytes(1000), "another kind"),
        (safetensors.numpy.save({"a": np.zeros(2)}), "without likely's metadata"),
        (safetensors.numpy.save({"a": np.zeros(2)}, {"format": "pt"}), "without likely's metadata"),
    ]:
        path.write_bytes(content)
        assert_refused(path, match)


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path, "a folder")
    assert_refused(tmp_path / "missing", "nothing there")
    assert_refused(tmp_path / "missing" / "model.likely", "nothing there")
    os.mkfifo(tmp_path / "pipe")
    assert_refused(tmp_path / "pipe", "pipe")
    assert_refused(Path("/dev/zero"), "device")
    assert_refused(tmp_path / ("x" * 300))


def test_a_header_that_claims_gigabytes_is_refused_before_reading(tmp_path: Path) -> None:
    path = tmp_path / "model.likely"
    for claim in (2**20, 2**40, 2**63, 2**64 - 1):
        path.write_bytes(claim.to_bytes(8, "little") + with_header(header())[8:])
        assert_refused(path, "fewer than its header claims")
    # A file whose size is really large, without filling the disk.
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert_refused(path, "another kind")


# Files with a fitting checksum that likely would never write


def test_forged_files_with_nothing_wrong_are_read(tmp_path: Path) -> None:
    assert model_file.read(forge(tmp_path / "m", with_header(header('{"x":1}')))) == ({}, {"x": 1})


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (header(version="2"), "updating likely"),
        (header(version="999"), "updating likely"),
        (header(version="0"), "format"),
        (header(version="true"), "format"),
        (header(version='"1"'), "format"),
        (header(version='1,"extra":0'), "one document"),
        (header(document="[]"), "one document"),
        (header(document='{"x":NaN}'), "not finite"),
        (header(document='{"x":-Infinity}'), "not finite"),
        (header(document='{"x":1e999}'), "not finite"),
        (header(document='{"x":1,"x":2}'), "repeated"),
        (header(document='{"x":' + "[" * 100_000), "nested too deep"),
        (header(document='{"x":' + "9" * 5000 + "}"), "strict JSON"),
        (header(document="{"), "strict JSON"),
        (header(more=',"a":' + "[" * 100_000), "nested too deep"),
        (header(more=',"__metadata__":{}'), "repeated"),
        (header(more=',"a":{},"a":{}'), "repeated"),
        (header()[:-2] + ',"other":"x"}}', "one metadata key"),
        (header()[:-2] + "},3}", "strict JSON"),
    ],
)
def test_forged_headers_are_refused(tmp_path: Path, text: str, match: str) -> None:
    assert_refused(forge(tmp_path / "m", with_header(text)), match)


def test_a_header_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    text = header(more=',"\xff":0').encode("latin-1")
    assert_refused(forge(tmp_path / "m", len(text).to_bytes(8, "little") + text), "strict JSON")


@pytest.mark.parametrize(
    "entry",
    [
        '{"dtype":"F64","shape":[2],"data_offsets":[0,8]}',
        '{"dtype":"F64","shape":[1],"data_offsets":[8,16]}',
        '{"dtype":"F64","shape":[1],"data_offsets":[0,4]}',
        '{"dtype":"F64","shape":[1000000000000],"data_offsets":[0,8000000000000]}',
        '{"dtype":"F64","shape":[18446744073709551615,2],"data_offsets":[0,8]}',
        '{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}',
        '{"dtype":"object","shape":[1],"data_offsets":[0,8]}',
        '{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}',
        '{"dtype":"C64","shape":[1],"data_offsets":[0,8]}',
        '{"dtype":"F64","shape":[1]}',
        "[]",
        "0",
    ],
)
def test_forged_arrays_are_refused(tmp_path: Path, entry: str) -> None:
    path = forge(tmp_path / "m", with_header(header(more=f',"a":{entry}'), bytes(8)))
    with pytest.raises(ModelFileError, match=r"/m\b"):
        model_file.read(path)


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_by_array_and_place(tmp_path: Path, dtype: str, value: float) -> None:
    array = np.array([0, value, 0, np.nan], {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype])
    entry = f',"theta":{{"dtype":"{dtype}","shape":[2,2],"data_offsets":[0,{array.nbytes}]}}'
    path = forge(tmp_path / "m", with_header(header(more=entry), array.tobytes()))
    with pytest.raises(ModelFileError, match=r"'theta' must hold finite numbers; got -?(nan|inf) at index \(0, 1\)"):
        model_file.read(path)


# What cannot be stored


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.array([1, None]), "object"),
        (np.array(["a"]), "<U1"),
        (np.array([1j]), "complex128"),
        (np.array([1], dtype="datetime64[s]"), "datetime64"),
        (np.zeros(1, dtype=[("a", "f8")]), "'a'"),
        (np.zeros(1, dtype=np.longdouble), "longdouble|float128|float96"),
        (np.array([1.0, np.nan]), "nan at index"),
        (np.array([np.inf], np.float32), "inf at index"),
        ([1.0], "list"),
    ],
)
def test_arrays_that_cannot_be_stored(tmp_path: Path, array: Any, match: str) -> None:
    with pytest.raises(ModelFileError, match=match) as caught:
        model_file.write(tmp_path / "m.likely", {"weights": array}, {})
    assert "'weights'" in str(caught.value)
    assert "m.likely" in str(caught.value)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("name", ["__metadata__", "\ud800", "a\nb", 3])
def test_array_names_that_cannot_be_stored(tmp_path: Path, name: Any) -> None:
    with pytest.raises(ModelFileError, match="name"):
        model_file.write(tmp_path / "m", {name: np.zeros(1)}, {})


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("document", "match"),
    [
        ({"a": [1, {"b": float("nan")}]}, r"document\.a\[1\]\.b must be a finite number"),
        ({"a": float("inf")}, r"document\.a must be a finite number"),
        ({"a": {1: 2}}, r"key of document\.a must be text; got 1"),
        ({"a": np.float32(1)}, r"document\.a must be a JSON value; got float32"),
        ({"a": np.zeros(2)}, "ndarray"),
        ({"a": {1, 2}}, "set"),
        ({"a": b"x"}, "bytes"),
        ({"a": Path("x")}, "Path"),
        ({"a": nested(10_000)}, "nested"),
    ],
)
def test_documents_that_cannot_be_stored(tmp_path: Path, document: dict[str, Any], match: str) -> None:
    with pytest.raises(ModelFileError, match=match):
        model_file.write(tmp_path / "m", {}, document)
    assert names_in(tmp_path) == []


# Which arrays are expected


def test_expect_arrays_accepts_what_fits() -> None:
    arrays = {"theta": np.zeros((3, 2)), "scores": np.zeros(7), "steps": np.array(3)}
    expect_arrays("m", arrays, {"theta": (3, 2), "scores": (None,), "steps": ()}, kinds={"steps": "iu"})
    expect_arrays("m", arrays, {"theta": (3, 2)}, optional=("scores", "steps", "absent"))


@pytest.mark.parametrize(
    ("shapes", "kinds", "match"),
    [
        ({"theta": (3, 2), "phi": (1,)}, {}, "none named 'phi'"),
        ({}, {}, "got also 'theta'"),
        ({"theta": (2, 3)}, {}, r"'theta' of m\.likely must have shape \(2, 3\); got \(3, 2\)"),
        ({"theta": (None, 3)}, {}, r"\(any, 3\)"),
        ({"theta": (3,)}, {}, "shape"),
        ({"theta": (3, 2)}, {"theta": "iu"}, "dtype of kind 'iu'; got float64"),
    ],
)
def test_expect_arrays_names_what_does_not_fit(
    shapes: dict[str, tuple[int | None, ...]], kinds: dict[str, str], match: str
) -> None:
    with pytest.raises(ModelFileError, match=match):
        expect_arrays("m.likely", {"theta": np.zeros((3, 2))}, shapes, kinds=kinds)


# Writing whole or not at all


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """What a full disk does: writing stops in the middle of the file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "model.likely"
    model_file.write(path, {}, {"version": "old"})
    with file_size_limit(4096), pytest.raises(OutputError, match=r"model\.likely"):
        model_file.write(path, {"theta": np.zeros(10_000)}, {"version": "new"})
    assert names_in(tmp_path) == ["model.likely"]
    assert model_file.read_document(path) == {"version": "old"}


def test_a_full_disk_leaves_nothing_where_nothing_was(tmp_path: Path) -> None:
    with file_size_limit(4096), pytest.raises(OutputError, match=r"page\.html"):
        atomic.write_text(tmp_path / "page.html", "x" * 10_000)
    assert names_in(tmp_path) == []


def test_a_read_only_folder_is_an_output_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "old.txt").write_text("old")
        folder.chmod(0o555)
        with without_privileges():
            assert (folder / "old.txt").read_text() == "old"
            for file in ("new.txt", "old.txt"):
                with pytest.raises(OutputError, match=f"{file} must be a place that can be written to; got: Perm"):
                    atomic.write_text(folder / file, "new")
        folder.chmod(0o755)
        assert names_in(folder) == ["old.txt"]
        assert (folder / "old.txt").read_text() == "old"


def test_an_unreadable_file_is_a_model_file_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        path = Path(name) / "model.likely"
        model_file.write(path, {}, {})
        path.chmod(0o200)
        with without_privileges():
            assert_refused(path, "Permission denied")


@pytest.mark.parametrize("place", ["missing/m", "file/m", "", "x" * 300, "nul\0byte"])
def test_places_that_cannot_be_written_to(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(OutputError):
        model_file.write(f"{tmp_path}/{place}", {}, {})
    assert names_in(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_devices_are_not_replaced_by_files(device: str) -> None:
    with pytest.raises(OutputError, match="device"):
        atomic.write_text(device, "x")
    assert Path(device).is_char_device()


def test_output_errors_can_be_caught_as_os_errors(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        atomic.write_text(tmp_path / "missing" / "m", "x")


def test_an_interrupted_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_text(tmp_path / "m", "x")
    assert names_in(tmp_path) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    link = tmp_path / "latest"
    link.symlink_to(tmp_path / "runs" / "model")
    atomic.write_text(link, "one")
    atomic.write_text(link, "two")
    assert link.is_symlink()
    assert (tmp_path / "runs" / "model").read_text() == "two"


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        atomic.write_text(tmp_path / "m", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "m").stat().st_mode & 0o777 == 0o640


def test_text_is_utf8_with_its_line_ends_kept(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "m", "Größe\r\n\n\udcff")
    assert (tmp_path / "m").read_bytes() == "Größe\r\n\n".encode() + b"\\udcff"


def test_paths_relative_to_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    atomic.write_text("m", "x")
    assert (tmp_path / "m").read_text() == "x"
