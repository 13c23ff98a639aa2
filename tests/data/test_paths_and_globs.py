import io
import subprocess
import sys
from pathlib import Path

import pytest

from likely.data.images import paths_and_globs
from likely.data.images.paths_and_globs import Found, find_images


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    names = ["b/2.PNG", "b/1.jpg", "a.webp", "b/deep/er/3.Tiff", "notes.txt", ".hidden.png", ".git/4.png", "ä ö/5.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def names(found: list[Found], root: Path) -> list[str]:
    return [str(Path(entry.name).relative_to(root)) for entry in found if entry.error is None]


def test_a_folder_is_searched_in_sorted_order(tree: Path) -> None:
    found = find_images([tree]).found
    assert names(found, tree) == ["a.webp", "b/1.jpg", "b/2.PNG", "b/deep/er/3.Tiff", "ä ö/5.png"]
    assert all(entry.source == Path(entry.name) for entry in found)


def test_a_folder_that_two_links_lead_to_is_searched_once(tree: Path) -> None:
    (tree / "elsewhere" / "boots").mkdir(parents=True)
    (tree / "elsewhere" / "boots" / "6.png").write_bytes(b"")
    for name in ("one", "two"):
        (tree / "b" / name).symlink_to(tree / "elsewhere", target_is_directory=True)
    assert names(find_images([tree / "b"]).found, tree)[-1] == "b/one/boots/6.png"


@pytest.mark.parametrize("target", ["b", "b/deep", ".", ".."])
def test_links_that_lead_back_up_are_not_followed(tree: Path, target: str) -> None:
    (tree / "b" / "deep" / "again").symlink_to((tree / target).resolve(), target_is_directory=True)
    assert names(find_images([tree / "b"]).found, tree) == ["b/1.jpg", "b/2.PNG", "b/deep/er/3.Tiff"]


def test_a_file_is_taken_at_its_word(tree: Path) -> None:
    assert names(find_images([tree / "notes.txt", tree / ".hidden.png"]).found, tree) == ["notes.txt", ".hidden.png"]


def test_globs(tree: Path) -> None:
    assert names(find_images([f"{tree}/b/*.jpg"]).found, tree) == ["b/1.jpg"]
    assert names(find_images([f"{tree}/**/*.[pP]*"]).found, tree) == ["b/2.PNG", "ä ö/5.png"]
    assert names(find_images([f"{tree}/b/de?p"]).found, tree) == ["b/deep/er/3.Tiff"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    path = tmp_path / "boot[1].png"
    path.write_bytes(b"")
    assert [entry.source for entry in find_images([path]).found] == [path]


def test_the_order_of_the_arguments_is_kept(tree: Path) -> None:
    assert names(find_images([tree / "b/2.PNG", tree / "a.webp", tree / "b/1.jpg"]).found, tree) == [
        "b/2.PNG",
        "a.webp",
        "b/1.jpg",
    ]


def test_what_is_missing_is_an_entry_and_the_rest_stays(tree: Path) -> None:
    (tree / "empty").mkdir()
    found = find_images([tree / "none.png", tree / "a.webp", f"{tree}/*.gif", tree / "empty"]).found
    assert [entry.error is None for entry in found] == [False, True, False, False]
    for entry, message in zip(found[::2] + found[3:], ("no such file", "matches no file", "without any"), strict=True):
        assert message in (entry.error or "")
        assert entry.name in (entry.error or "")
        assert entry.source is None


def test_a_broken_link_is_left_to_the_reader(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    assert find_images([tmp_path / "link.png"]).found[0].error is None


def test_a_folder_without_permission_is_an_entry(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir(mode=0)
    tmp_path.chmod(0o755)
    # Permissions do not bind root, so another process gives root up first; from inside, for its way there is barred.
    script = """
import os
from likely.data.images import paths_and_globs
from likely.data.images.paths_and_globs import find_images
if os.geteuid() == 0:
    os.setuid(65534)
print(find_images(["."]).found)
"""
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "./secret must be readable; got: Permission denied" in done.stdout


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x89PNG")))
    assert find_images(["-"]).found == [Found("-", b"\x89PNG")]
    monkeypatch.setattr(paths_and_globs, "MAX_STDIN_BYTES", 3)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x89PNG")))
    assert "more than 3 bytes" in (find_images(["-"]).found[0].error or "")
