"""One file over https into a folder: resumed where it was interrupted, verified before it gets its name."""

import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from likely.data.progress_callback import Progress
from likely.errors import DataError, OutputError

CHUNK = 256 * 1024
ATTEMPTS = 3
PAUSE = 0.5
NETWORK_ERRORS = (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError, ssl.SSLError)


def download(
    url: str,
    target: Path,
    *,
    verify: Callable[[Path], object],
    max_bytes: int,
    time_out: float = 30.0,
    progress: Progress | None = None,
) -> None:
    """Fetch `url` into `target`, which appears only once it is complete and verified.

    What has come so far stays in `target` + ".part": the next attempt, in this run or a later one, asks for the rest.

    Args:
        url: where the file is.
        target: where it goes; its folder is made if need be.
        verify: raises `DataError` if the file that it is given is not the one expected; such a file is deleted.
        max_bytes: no more than these are ever taken.
        time_out: seconds without a byte after which an attempt ends.
        progress: told (file name, bytes so far, bytes in all if the server says).
    Raises:
        DataError: naming `url`, if it can't be reached, stalls, ends early, or is not what was expected.
        OutputError: if the folder can't be written.
    """
    part = target.with_name(target.name + ".part")
    why = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(ATTEMPTS):
            from_the_start = not part.exists()
            time.sleep(PAUSE * attempt)
            try:
                _append(url, part, max_bytes, time_out, progress)
                verify(part)
            except NETWORK_ERRORS as error:
                why = _reason(error, time_out)
                if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                    break
            except DataError as error:
                part.unlink()
                why = str(error)
                # Otherwise a beginning from an earlier run may be what is wrong.
                if from_the_start:
                    break
            else:
                part.replace(target)
                return
    except OSError as error:
        raise OutputError(f"{target} must be writable; got: {error.strerror or error}. Try another folder.") from error
    raise DataError(f"{url} must be downloaded whole; got: {why}")


def _append(url: str, part: Path, max_bytes: int, time_out: float, progress: Progress | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "likely", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=time_out)
    except urllib.error.HTTPError as error:
        # Nothing lies beyond what is here: whether that is the whole file is for the verification to say.
        if error.code == 416 and have:
            error.close()
            return
        raise
    with response:
        if response.status != 206 or not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        with part.open("ab" if have else "wb") as file:
            while piece := response.read1(CHUNK):
                have += len(piece)
                if have > max_bytes:
                    raise DataError(f"more than the {max_bytes:,} bytes that the file can have")
                file.write(piece)
                if progress is not None:
                    progress(part.stem, have, total)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and have < total:
        raise ConnectionError(f"the connection ended after {have:,} of {total:,} bytes")


def _reason(error: BaseException, time_out: float) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"no byte for {time_out:g} seconds."
    if isinstance(error, urllib.error.HTTPError):
        return f"the answer {error.code} {error.reason}."
    return f"{str(cause) or type(cause).__name__}."
