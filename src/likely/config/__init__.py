"""The settings of a run: each is declared once, in `RunConfig`, with its type, default and words for people.

The command line, TOML and JSON files, the estimators and the docs are made from these declarations.
"""

from likely.config.config_file import load_config, load_settings
from likely.config.durations import duration, parse_duration
from likely.config.former_names import current_augmentation
from likely.config.run_config import RunConfig

__all__ = ["RunConfig", "current_augmentation", "duration", "load_config", "load_settings", "parse_duration"]
