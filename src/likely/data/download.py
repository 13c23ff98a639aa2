"""One file over https into a folder, by pooch: tried again where that may help, verified before it gets its name."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from likely.data.progress_callback import Progress
from likely.errors import DataError, OutputError

CHUNK = 64 * 1024
ATTEMPTS = 3
PAUSE = 0.5


def download(
    url: str,
    target: Path,
    *,
    verify: Callable[[Path], object],
    max_bytes: int,
    time_out: float = 30.0,
    progress: Progress | None = None,
) -> None:
    """Fetch `url` into `target`, which must not exist, and appears only once it is complete and verified.

    Args:
        url, target: where the file is, and where it goes; its folder is made if need be.
        verify: raises `DataError` if the file that it is given is not the one expected; such a file is deleted.
        max_bytes: not many more than these are ever taken.
        time_out: seconds without a byte after which an attempt ends.
        progress: told (file name, bytes so far, bytes in all if the server says).
    Raises:
        DataError: naming `url`, if it can't be reached, stalls, ends early, or is not what was expected.
        OutputError: if the folder can't be written.
    """
    import pooch
    import requests  # comes with pooch

    retrieve: Any = pooch.retrieve  # its type of a downloader is not that of the downloaders that it calls
    logger = pooch.get_logger()
    headers = {"User-Agent": "likely", "Accept-Encoding": "identity"}

    def fetch(url: str, file: Any, _: Any) -> None:
        told: Any = _Told(target.name, max_bytes, progress)
        pooch.HTTPDownloader(told, CHUNK, timeout=time_out, headers=headers)(url, file, None)  # pyright: ignore[reportArgumentType]
        verify(Path(file))

    why = ""
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE * attempt)
        try:
            level = logger.level
            logger.setLevel(logging.WARNING)  # the watcher says what there is to say
            try:
                retrieve(url, None, target.name, target.parent, downloader=fetch)
            finally:
                logger.setLevel(level)
            return
        except DataError as error:
            why = str(error)
            break
        except requests.RequestException as error:
            why = _reason(error, time_out)
            if error.response is not None and error.response.status_code < 500:
                break
        except OSError as error:
            raise OutputError(
                f"{target} must be writable; got: {error.strerror or error}. Try another folder."
            ) from error
    raise DataError(f"{url} must be downloaded whole; got: {why}")


class _Told:
    """What pooch takes for a bar. It counts whole chunks, also where the last one is shorter."""

    def __init__(self, name: str, max_bytes: int, progress: Progress | None) -> None:
        self._name, self._max_bytes, self._progress = name, max_bytes, progress
        self.total = self._done = 0

    def update(self, n_bytes: int) -> None:
        if self._done > self._max_bytes:
            raise DataError(f"more than the {self._max_bytes:,} bytes that the file can have")
        self._done = min(self._done + n_bytes, self.total or self._done + n_bytes)
        if self._progress is not None and n_bytes:
            self._progress(self._name, self._done, self.total or None)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass


def _reason(error: Any, time_out: float) -> str:
    if error.response is not None:
        return f"the answer {error.response.status_code} {error.response.reason}."
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return f"no byte for {time_out:g} seconds." if isinstance(cause, TimeoutError) else f"{cause}."
