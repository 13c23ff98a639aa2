"""Settings in TOML and JSON files."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from likely.config.former_names import with_present_names
from likely.config.run_config import RunConfig
from likely.errors import ConfigError


def load_config(path: str | Path) -> RunConfig:
    """The configuration in a `.toml` or `.json` file, such as the `config.json` of a run folder.

    Raises:
        ConfigError: if the file cannot be read, or holds what a configuration does not; the message names the file.
    """
    return RunConfig(**load_settings(path))


def load_settings(path: str | Path) -> dict[str, Any]:
    """The fields that a configuration file sets, checked, so that others can be laid over them.

    Raises:
        ConfigError: like `load_config`.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"A configuration must be a readable text file; got {path}: {reason}.") from None
    try:
        document: Any = _PARSERS[path.suffix.lower()](text)
    except KeyError:
        raise ConfigError(f"A configuration file must end in .toml or .json; got {path}.") from None
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise ConfigError(f"{path} must be valid {path.suffix[1:].upper()}: {error}.") from None
    if not isinstance(document, Mapping):
        raise ConfigError(f"{path} must hold names and values; got a {type(document).__name__}.")
    try:
        document = with_present_names(document)
        RunConfig(**document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


_PARSERS: dict[str, Any] = {
    ".toml": tomllib.loads,
    ".json": lambda text: json.loads(text, parse_constant=_refuse_constant),
}
