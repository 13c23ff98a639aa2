"""Settings in TOML and JSON files."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from likely.config.former_names import with_present_names
from likely.config.pipes import refuse_pipes
from likely.config.run_config import RunConfig
from likely.errors import ConfigError


def load_config(path: str | Path) -> RunConfig:
    """The configuration in a `.toml` or `.json` file, such as the `config.json` of a run folder.

    Raises:
        ConfigError: if the file cannot be read, or holds what a configuration does not; the message names the file.
    """
    return RunConfig.from_json(load_settings(path))


def load_settings(path: str | Path) -> dict[str, object]:
    """The fields that a configuration file sets, checked like those of `load_config`, to lay others over them."""
    path = Path(path)
    refuse_pipes(path, ConfigError)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"A configuration must be a readable text file; got {path}: {reason}.") from None
    suffix = path.suffix.lower()
    if suffix not in (".toml", ".json"):
        raise ConfigError(f"A configuration file must end in .toml or .json; got {path}.")
    try:
        document = tomllib.loads(text) if suffix == ".toml" else json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # the latter of brackets in brackets in brackets
        raise ConfigError(f"{path} must be valid {path.suffix[1:].upper()}: {error}.") from None
    if not isinstance(document, Mapping):
        raise ConfigError(f"{path} must hold names and values; got a {type(document).__name__}.")
    try:
        document = with_present_names(document)
        RunConfig.from_json(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
