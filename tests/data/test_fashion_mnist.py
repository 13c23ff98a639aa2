import gzip
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from likely.config.cache_folder import cache_folder
from likely.data import download
from likely.data.dataset import Dataset
from likely.data.images import fashion_mnist
from likely.data.images.fashion_mnist import CONTENTS, LABELS, load_fashion_mnist
from likely.data.sources import open_dataset
from likely.errors import ConfigError, DamagedFileWarning, DataError
from likely.preprocessing.conversion import PRODUCT_PHOTO

LinkFiles = Callable[..., Path]

NAMES = [f"{content.name}.gz" for content in CONTENTS]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and nothing chosen in the environment."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LIKELY_DATA", raising=False)
    monkeypatch.setattr(download, "PAUSE", 0.01)
    return tmp_path / "cache" / "likely" / "fashion-mnist"


@pytest.fixture
def published(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, to_idx: Callable[[np.ndarray], bytes]
) -> Path:
    """A Fashion-MNIST of 20 + 10 images, in the place of the large one."""
    folder, rng, contents = tmp_path_factory.mktemp("published"), np.random.default_rng(0), []
    for content in CONTENTS:
        n = 20 if content.part == "train" else 10
        labels = (np.arange(n) % 10).astype(np.uint8)
        raw = to_idx(labels if content.kind == "labels" else rng.integers(0, 256, (n, 28, 28), dtype=np.uint8))
        contents.append(replace(content, size=len(raw), sha256=hashlib.sha256(raw).hexdigest()))
        (folder / f"{content.name}.gz").write_bytes(gzip.compress(raw))
    monkeypatch.setattr(fashion_mnist, "CONTENTS", tuple(contents))
    return folder


@pytest.fixture
def link_files(published: Path) -> LinkFiles:
    """Fills a folder with links to the published files, without the one named."""

    def link(folder: Path, without: str = "") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            if name != without:
                (folder / name).symlink_to(published / name)
        return folder

    return link


def put(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)


@dataclass
class Server:
    """What a server on this machine sends, and what it was asked."""

    folder: Path
    url: str = ""
    damage: Callable[[str, bytes], bytes] = lambda name, content: content
    status: int = 200
    cut_after: dict[str, int] = field(default_factory=dict)
    stall: threading.Event | None = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    state = Server(tmp_path / "served")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            state.asked.append(name)
            if state.stall is not None:
                state.stall.wait(10)
                return
            path = state.folder / name
            if state.status != 200 or not path.exists():
                self.send_error(404 if state.status == 200 else state.status)
                return
            content = state.damage(name, path.read_bytes())
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: state.cut_after.pop(name, len(content))])

    def log_message(self, format: str, *args: object) -> None:
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        state.url = f"http://127.0.0.1:{httpd.server_port}/"
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield state
        if state.stall is not None:
            state.stall.set()
        httpd.shutdown()
        thread.join()


def fetch(server: Server, tmp_path: Path, **options: object) -> Dataset:
    return load_fashion_mnist(url=server.url, system_folder=tmp_path / "no-package", time_out=5.0, **options)


def test_the_real_data_is_as_published(fashion_folder: Path) -> None:
    dataset = open_dataset("fashion-mnist", data_folder=fashion_folder)
    assert dataset.labels == LABELS
    assert LABELS[0] == "T-shirt"
    assert LABELS[9] == "Ankle boot"
    assert dataset.test is not None
    assert dataset.train.X.shape == (60_000, 28, 28)
    assert dataset.test.X.shape == (10_000, 28, 28)
    assert dataset.train.X.dtype == np.uint8
    assert np.bincount(dataset.train.y).tolist() == [6000] * 10
    assert np.bincount(dataset.test.y).tolist() == [1000] * 10
    # The first training image is the ankle boot that every tutorial shows.
    assert dataset.train.y[0] == 9
    assert dataset.hflip is True
    assert dataset.conversion == PRODUCT_PHOTO


def test_a_chosen_folder_may_be_plain_and_named_with_dots(tmp_path: Path, published: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in NAMES:
        plain = folder / name.removesuffix(".gz").replace("-idx", ".idx")
        plain.write_bytes(gzip.decompress((published / name).read_bytes()))
    dataset = open_dataset("fashion-mnist", data_folder=folder)
    assert dataset.found_at == str(folder)
    assert dataset.sha256 == load_fashion_mnist(published).sha256
    by_path = open_dataset(folder)
    assert by_path.labels == LABELS
    assert by_path.hflip is True


def test_the_environment_chooses_a_folder_or_its_subfolder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link_files: LinkFiles
) -> None:
    link_files(tmp_path / "data" / "fashion-mnist")
    monkeypatch.setenv("LIKELY_DATA", str(tmp_path / "data"))
    assert load_fashion_mnist().found_at == str(tmp_path / "data" / "fashion-mnist")
    monkeypatch.setenv("LIKELY_DATA", str(tmp_path / "data" / "fashion-mnist"))
    assert load_fashion_mnist().found_at == str(tmp_path / "data" / "fashion-mnist")


@pytest.mark.parametrize("through", ["argument", "environment"])
def test_a_chosen_folder_that_lacks_a_file_is_an_error(
    through: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link_files: LinkFiles, published: Path
) -> None:
    folder = link_files(tmp_path / "mine", without="train-images-idx3-ubyte.gz")
    monkeypatch.setenv("LIKELY_DATA", str(folder if through == "environment" else published))
    with pytest.raises(DataError, match="without train-images-idx3-ubyte"):
        load_fashion_mnist(folder if through == "argument" else None)
    with pytest.raises(DataError, match="no such folder"):
        load_fashion_mnist(tmp_path / "nowhere")


@pytest.mark.parametrize("damage", ["flipped", "truncated", "other", "bomb", "longer"])
def test_a_damaged_file_in_a_chosen_folder_is_named_and_not_used(
    damage: str, tmp_path: Path, link_files: LinkFiles
) -> None:
    folder = link_files(tmp_path / "mine")
    path = folder / "t10k-labels-idx1-ubyte.gz"
    raw = gzip.decompress(path.read_bytes())
    content = {
        "flipped": gzip.compress(raw[:-1] + b"\x03"),
        "truncated": path.read_bytes()[:-40],
        "other": b"<html>not found</html>",
        "bomb": gzip.compress(raw + bytes(30_000_000), 1),
        "longer": gzip.compress(raw + b"\x00"),
    }[damage]
    put(path, content)
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz"):
        load_fashion_mnist(folder)


def test_the_cache_comes_before_the_system(cache: Path, link_files: LinkFiles) -> None:
    link_files(cache)
    assert load_fashion_mnist().found_at == str(cache)


def test_a_damaged_cache_is_named_and_passed_over(cache: Path, link_files: LinkFiles, published: Path) -> None:
    link_files(cache)
    put(cache / NAMES[0], b"rubbish")
    with pytest.warns(DamagedFileWarning, match=NAMES[0]):
        dataset = load_fashion_mnist(system_folder=published)
    assert dataset.found_at == str(published)


def test_a_folder_with_other_images_is_not_fashion_mnist(
    tmp_path: Path, to_idx: Callable[[np.ndarray], bytes], link_files: LinkFiles
) -> None:
    folder = link_files(tmp_path / "altered")
    images = np.random.default_rng(0).integers(0, 256, (10, 8, 8), dtype=np.uint8)
    put(folder / "t10k-images-idx3-ubyte.gz", to_idx(images))
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    put(folder / "train-images-idx3-ubyte.gz", to_idx(images))
    assert open_dataset(folder).labels == tuple("0123456789")


def test_a_download_fills_the_cache_and_is_not_repeated(
    server: Server, cache: Path, tmp_path: Path, link_files: LinkFiles, published: Path
) -> None:
    link_files(server.folder)
    seen: list[tuple[str, int, int | None]] = []
    dataset = fetch(server, tmp_path, progress=lambda *step: seen.append(step))
    assert dataset.found_at == str(cache)
    assert sorted(path.name for path in cache.iterdir()) == sorted(NAMES)
    size = (published / "train-images-idx3-ubyte.gz").stat().st_size
    of_train = [step[1:] for step in seen if step[0] == "train-images-idx3-ubyte.gz"]
    assert of_train[-1] == (size, size)
    assert [done for done, _ in of_train] == sorted(done for done, _ in of_train)
    asked = len(server.asked)
    fetch(server, tmp_path)
    assert len(server.asked) == asked


def test_a_download_is_tried_again_where_the_connection_broke(
    server: Server, cache: Path, tmp_path: Path, link_files: LinkFiles, published: Path
) -> None:
    link_files(server.folder)
    server.cut_after = {"train-images-idx3-ubyte.gz": 10_000, NAMES[0]: 20}
    fetch(server, tmp_path)
    assert sorted(server.asked) == sorted([*NAMES, "train-images-idx3-ubyte.gz", NAMES[0]])
    assert sorted(path.name for path in cache.iterdir()) == sorted(NAMES)
    assert (cache / NAMES[0]).read_bytes() == (published / NAMES[0]).read_bytes()


def test_a_connection_that_always_breaks_leaves_nothing(
    server: Server, cache: Path, tmp_path: Path, link_files: LinkFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_files(server.folder)
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.cut_after = {NAMES[0]: 20}
    with pytest.raises(DataError, match="must be downloaded whole"):
        fetch(server, tmp_path)
    assert list(cache.iterdir()) == []
    fetch(server, tmp_path)
    assert sorted(path.name for path in cache.iterdir()) == sorted(NAMES)


def test_a_damaged_file_in_the_cache_is_replaced(
    server: Server, cache: Path, tmp_path: Path, link_files: LinkFiles
) -> None:
    link_files(server.folder)
    link_files(cache)
    (cache / NAMES[0]).unlink()
    (cache / NAMES[0].removesuffix(".gz")).write_bytes(b"rubbish")
    with pytest.warns(DamagedFileWarning, match="t10k-labels"):
        fetch(server, tmp_path)
    assert server.asked == [NAMES[0]]


def test_damaged_content_is_never_used(server: Server, cache: Path, tmp_path: Path, link_files: LinkFiles) -> None:
    link_files(server.folder)
    server.damage = lambda name, content: gzip.compress(b"\x00" + gzip.decompress(content)[1:-1] + b"\x07")
    with pytest.raises(DataError, match="of something else"):
        fetch(server, tmp_path)
    assert list(cache.iterdir()) == []


def test_an_endless_file_is_not_stored(server: Server, cache: Path, tmp_path: Path, link_files: LinkFiles) -> None:
    link_files(server.folder)
    server.damage = lambda name, content: bytes(5_000_000)
    with pytest.raises(DataError, match="more than the 65,554 bytes"):
        fetch(server, tmp_path)
    assert list(cache.iterdir()) == []


def test_a_silent_server_times_out(server: Server, tmp_path: Path) -> None:
    server.stall = threading.Event()
    with pytest.raises(DataError, match=r"no byte for 0\.2 seconds"):
        load_fashion_mnist(url=server.url, system_folder=tmp_path, time_out=0.2)
    assert len(server.asked) == download.ATTEMPTS


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (503, 3)])
def test_only_what_may_pass_is_tried_again(status: int, attempts: int, server: Server, tmp_path: Path) -> None:
    server.status = status
    with pytest.raises(DataError, match=f"the answer {status}"):
        fetch(server, tmp_path)
    assert len(server.asked) == attempts


def test_the_error_lists_what_was_tried_and_the_ways_out(cache: Path, tmp_path: Path, link_files: LinkFiles) -> None:
    half = link_files(tmp_path / "half", without=NAMES[3])
    with pytest.raises(DataError) as raised:
        # Nothing listens on this port.
        load_fashion_mnist(url="http://127.0.0.1:9/", system_folder=half, time_out=1.0)
    message = str(raised.value)
    assert f"{cache}: no such folder" in message
    assert f"{half}: no train-images-idx3-ubyte" in message
    assert "http://127.0.0.1:9/t10k-labels-idx1-ubyte.gz" in message
    for way_out in ("apt install dataset-fashion-mnist", "--data", "LIKELY_DATA"):
        assert way_out in message


def test_a_cache_that_can_not_be_written_is_among_what_was_tried(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link_files: LinkFiles
) -> None:
    link_files(server.folder)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="must be writable"):
        fetch(server, tmp_path)


def test_a_relative_cache_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder().is_relative_to(tmp_path)
    assert cache_folder().name == "likely"


def test_a_user_without_a_home_has_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    folder = cache_folder()
    assert folder.parent == Path(tempfile.gettempdir())
    assert folder.stat().st_mode & 0o777 == 0o700  # nobody else could have prepared it
    assert folder == cache_folder()


def test_a_data_folder_for_another_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is only for 'fashion-mnist'"):
        open_dataset("digits", data_folder=tmp_path)


def test_copies_and_links_are_read_alike(tmp_path: Path, published: Path) -> None:
    shutil.copytree(published, tmp_path / "copy")
    assert open_dataset(tmp_path / "copy").name == "fashion-mnist"
