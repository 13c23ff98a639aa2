"""What is wrong with a setting, in one sentence."""

import re
from collections.abc import Mapping

from pydantic import ValidationError

from likely.config.setting import Declared
from likely.errors import ConfigError, unknown_name

_RULES: dict[str, str] = {
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "finite_number": "finite",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "non-empty text",
}


def explained(error: ValidationError, settings: Mapping[str, Declared]) -> ConfigError:
    """The first thing that is wrong."""
    errors = error.errors()
    first, context = errors[0], errors[0].get("ctx", {})
    if isinstance(context.get("error"), ConfigError):
        return context["error"]
    if not first["loc"]:
        return ConfigError(f"A setting must have a name that is text; got {first['input']!r:.80}. Remove it.")
    name, value = str(first["loc"][0]), first["input"]
    entry = next((e for e in errors if e["loc"][:1] == ("class_weight",) and len(e["loc"]) > 2), None)
    if name == "class_weight" and isinstance(value, Mapping) and entry is not None:
        label = next(part for part in entry["loc"][2:] if part != "[key]")
        return ConfigError(
            f"class_weight must be a positive number for each label, such as {{ Shirt = 2.0 }}; got {entry['input']!r} "
            f"for {label!r}. A label with no weight cannot be learned. Try a small weight, or remove its rows."
        )
    if first["type"] == "extra_forbidden":
        return ConfigError(unknown_name("A setting", name, settings))
    shown = repr(value) if isinstance(value, str | int | float | bool) else f"a {type(value).__name__}"
    if first["type"] == "string_unicode":
        return ConfigError(
            f"{name} must be a name in UTF-8; got {shown}. Run folders and model files can't store another. Rename it, "
            "or make a link to it (ln -s) and name that."
        )
    setting = settings[name]
    form = None if setting.kind == "text" else setting.setting.form
    if form and first["type"] != "greater_than" and (setting.kind, first["type"]) != ("names", "literal_error"):
        return ConfigError(f"{name} must be {form}; got {shown}.")
    if first["type"] == "literal_error":
        return ConfigError(unknown_name(name, value, re.findall(r"'([^']*)'", context["expected"])))
    rule = _RULES.get(first["type"])
    return ConfigError(f"{name} must be {rule.format(**context) if rule else first['msg']}; got {shown}.")
