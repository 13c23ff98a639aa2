import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from likely.data.images import decode_many, image_cache
from likely.data.images.decode import read_image
from likely.data.images.decode_many import Reading, load_images
from likely.errors import CacheWarning, DataError, ImageError
from likely.preprocessing.stored_rows import StoredRows

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, into which even the smallest set goes, and stays on disk."""
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(image_cache, "KEPT_FROM", 1)
    monkeypatch.setattr(image_cache, "ON_DISK_FROM", 1)
    return tmp_path / "cache" / "images"


def save(folder: Path, n: int, mode: str = "L", size: tuple[int, int] = (9, 7), kind: str = "png") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i} é.{kind}" for i in range(n)]
    for path in paths:
        Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).convert(mode).save(path)
    return paths


def load(paths: list[Path], **settings: object) -> decode_many.Loaded:
    return load_images(paths, [str(path) for path in paths], Reading(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(("mode", "shape"), [("L", (7, 9)), ("RGB", (7, 9, 3)), ("P", (7, 9, 3)), ("LA", (7, 9))])
def test_every_row_is_what_the_gate_makes_of_its_file(tmp_path: Path, mode: str, shape: tuple[int, ...]) -> None:
    paths = save(tmp_path / "in", 100, mode)
    loaded = load(paths)
    assert loaded.X.shape == (100, *shape)
    for row, path in zip(loaded.X[:], paths, strict=True):
        np.testing.assert_array_equal(row, read_image(path, shape=shape))


def test_the_second_time_comes_from_the_cache(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = save(tmp_path / "in", 40)
    first = load(paths)
    assert isinstance(first.X, StoredRows)
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".rows"]
    assert {folder.stat().st_mode & 0o77 for folder in (cache, cache.parent)} == {0}  # nobody else's images
    monkeypatch.setattr(decode_many, "read_image", None)
    np.testing.assert_array_equal(load(paths).X[:], first.X[:])
    # Where a file lies does not matter, what it holds does.
    moved = [path.rename(path.with_name(f"moved {path.name}")) for path in paths]
    np.testing.assert_array_equal(load(moved).X[:], first.X[:])


def test_other_content_or_another_size_is_decoded_anew(tmp_path: Path) -> None:
    paths = save(tmp_path / "in", 5)
    before = load(paths).X[:]
    Image.fromarray(np.zeros((7, 9), np.uint8)).save(paths[2])
    after = load(paths).X[:]
    assert not after[2].any()
    np.testing.assert_array_equal(after[:2], before[:2])
    assert load(paths, image_size=8).X.shape == (5, 8, 8)


@pytest.mark.parametrize("damage", ["short", "overwritten", "no facts", "foreign facts", "other shape"])
def test_a_damaged_cache_is_built_again(tmp_path: Path, cache: Path, damage: str) -> None:
    paths = save(tmp_path / "in", 20)
    before = load(paths).X[:]
    rows, facts = next(cache.glob("*.rows")), next(cache.glob("*.json"))
    content = rows.read_bytes()
    if damage == "short":
        rows.write_bytes(content[:-30])
    elif damage == "overwritten":
        rows.write_bytes(content[:-100] + bytes(100))
    elif damage == "no facts":
        facts.unlink()
    elif damage == "foreign facts":
        facts.write_text("[1, 2]")
    else:
        np.save(rows, np.zeros((3, 2), np.uint8))
    np.testing.assert_array_equal(load(paths).X[:], before)
    assert json.loads(facts.read_text().splitlines()[1])["bad"] == []


def test_bad_images_are_named_or_skipped(tmp_path: Path) -> None:
    paths = save(tmp_path / "in", 30)
    paths[4].write_text("not an image")
    paths[7].write_bytes(b"")
    paths[9].write_bytes(paths[9].read_bytes()[:-40])  # its head is whole
    paths[11].unlink()
    with pytest.raises(DataError, match=r"(?s)At least 3 of 30 images can't be read.*4 é.png.*a text file.*--skip-bad"):
        load(paths)
    for _ in range(2):  # decoded, and from the cache
        loaded = load(paths, skip_bad=True)
        assert loaded.kept.tolist() == [i for i in range(30) if i not in (4, 7, 9, 11)]
        assert len(loaded.X) == 26
        assert [str(paths[i]) in text for i, text in zip((4, 7, 9, 11), loaded.skipped, strict=True)] == [True] * 4
        for row, i in zip(loaded.X[:], loaded.kept, strict=True):
            np.testing.assert_array_equal(row, read_image(paths[i], shape=(7, 9)))
    for i in (4, 7, 11):
        save(tmp_path / "other", 30)[i].rename(paths[i])
    with pytest.raises(DataError, match=r"(?s)^1 of 30 images can't be read.*9 é.png must be a complete image"):
        load(paths)


def test_none_left_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("x")
    with pytest.raises(DataError, match="none of them readable"):
        load([bad], skip_bad=True)


def test_damage_behind_a_whole_head_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = save(tmp_path / "in", 3)

    def out_of_memory(source: bytes, **settings: Any) -> np.ndarray:
        if settings["name"] == str(paths[1]):
            raise ImageError(f"{paths[1]} must be a whole image; got: MemoryError.")
        return read_image(source, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(decode_many, "read_image", out_of_memory)
        assert load(paths, skip_bad=True).kept.tolist() == [0, 2]
    assert load(paths).kept.tolist() == [0, 1, 2]


def test_images_that_all_have_only_a_head_leave_nothing_behind(tmp_path: Path, cache: Path) -> None:
    paths = save(tmp_path / "in", 3)
    for path in paths:
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="none of them readable"):
        load(paths, skip_bad=True)
    assert list(cache.iterdir()) == []


def test_a_cache_that_can_not_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a file"
    file.write_text("")
    monkeypatch.setenv("LIKELY_CACHE", str(file))
    paths = save(tmp_path / "in", 5)
    with pytest.warns(CacheWarning, match="kept in memory"):
        assert isinstance(load(paths).X, np.ndarray)


def test_a_full_disk_is_done_without(tmp_path: Path, cache: Path) -> None:
    resource = pytest.importorskip("resource")
    paths = save(tmp_path / "in", 400)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.warns(CacheWarning, match="kept in memory.*too large"):
            X = load(paths).X
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    np.testing.assert_array_equal(X[399], read_image(paths[399], shape=(7, 9)))
    assert list(cache.iterdir()) == []


def test_what_killed_runs_left_is_removed(tmp_path: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    for name, age in ((".likely-old.tmp", 2 * 86400), (".likely-new.tmp", 60)):
        (cache / name).write_bytes(b"half")
        os.utime(cache / name, (time.time() - age,) * 2)
    load(save(tmp_path / "in", 5))
    assert sorted(path.name for path in cache.glob(".*")) == [".likely-new.tmp"]


def test_the_least_used_sets_make_room(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = [save(tmp_path / str(i), 20) for i in range(3)]
    load(sets[0])
    size = next(cache.glob("*.rows")).stat().st_size
    monkeypatch.setattr(image_cache, "CACHE_BYTES", 2 * size + 100)
    for paths in sets[1:]:
        load(paths)
    assert len(list(cache.glob("*.rows"))) == len(list(cache.glob("*.json"))) == 2


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, cache: Path) -> None:
    paths = save(tmp_path / "in", 200)

    def interrupt(what: str, done: int, total: int | None) -> None:
        if what == "decoding images":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(paths, progress=interrupt)
    assert list(cache.iterdir()) == []


def test_bytes_are_sources_too(tmp_path: Path) -> None:
    content = [path.read_bytes() for path in save(tmp_path / "in", 3)]
    loaded = load_images(content, ["row 0", "row 1", "row 2"])
    assert loaded.X.shape == (3, 7, 9)
    with pytest.raises(DataError, match="row 1 must be"):
        load_images([content[0], b"x"], ["row 0", "row 1"])


def test_equal_files_have_equal_digests(tmp_path: Path) -> None:
    paths = save(tmp_path / "in", 3)
    paths[2].write_bytes(paths[0].read_bytes())
    digests = [decode_many._head(path, str(path))[0] for path in paths]
    assert digests[0] == digests[2] != digests[1]


def test_damage_of_any_row_is_found(tmp_path: Path, cache: Path) -> None:
    file = save(tmp_path / "in", 1, size=(4, 3), kind="bmp")[0].read_bytes()
    files = [file[:-12] + i.to_bytes(4, "little") + file[-8:] for i in range(1100)]
    names = list(map(str, range(len(files))))
    before = load_images(files, names).X[:]
    rows = next(cache.glob("*.rows"))
    content = bytearray(rows.read_bytes())
    content[12 * 700] ^= 1
    rows.write_bytes(content)
    np.testing.assert_array_equal(load_images(files, names).X[:], before)
    assert rows.read_bytes() != content


@pytest.mark.parametrize(
    "said", ["[" * 100_000, '{"digests": 7, "bad": []}', '{"digests": [], "bad": [1e400]}', "\0", ""]
)
def test_odd_facts_are_a_miss(tmp_path: Path, cache: Path, said: str) -> None:
    paths = save(tmp_path / "in", 5)
    before = load(paths).X[:]
    next(cache.glob("*.json")).write_text(f"{'0' * 32}\n{said}")
    np.testing.assert_array_equal(load(paths).X[:], before)


def test_a_file_that_changes_while_it_is_read_is_named_and_not_kept(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = save(tmp_path / "in", 4)
    head = decode_many._head

    def changed_after(source: Path, name: str) -> Any:
        found = head(source, name)
        if source == paths[1]:
            source.write_bytes(paths[0].read_bytes())
        return found

    monkeypatch.setattr(decode_many, "_head", changed_after)
    with pytest.raises(DataError, match=r"1 é\.png must not change while it is read"):
        load(paths)
    monkeypatch.undo()
    monkeypatch.setenv("LIKELY_CACHE", str(cache.parent))
    np.testing.assert_array_equal(load(paths).X[1], read_image(paths[1], shape=(7, 9)))


def test_one_image_more_is_one_to_decode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = save(tmp_path / "in", 6)
    load(paths[:5])
    decoded = list[str]()

    def noted(source: bytes, **settings: Any) -> np.ndarray:
        decoded.append(settings["name"])
        return read_image(source, **settings)

    monkeypatch.setattr(decode_many, "read_image", noted)
    several = [paths[5], *paths[3:], paths[0]]
    X = load(several).X[:]
    assert set(decoded) == {str(paths[5])}
    for row, path in zip(X, several, strict=True):
        np.testing.assert_array_equal(row, read_image(path, shape=(7, 9)))


@pytest.mark.parametrize("link", ["images", "rows"])
def test_links_in_the_cache_are_not_followed(tmp_path: Path, cache: Path, link: str) -> None:
    paths = save(tmp_path / "in", 5)
    before = load(paths).X[:]
    place = cache if link == "images" else next(cache.glob("*.rows"))
    kept = place.rename(tmp_path / "elsewhere")
    content = (kept if link == "rows" else next(kept.glob("*.rows"))).read_bytes()
    place.symlink_to(kept)
    with pytest.warns(CacheWarning, match="links are not followed"):
        np.testing.assert_array_equal(load(paths).X[:], before)
    assert (kept if link == "rows" else next(kept.glob("*.rows"))).read_bytes() == content
