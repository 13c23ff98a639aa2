"""The table in docs/configuration.md, made from the fields of `RunConfig`: python docs/settings_table.py writes it."""

import re
from pathlib import Path

from likely.config import RunConfig
from likely.config.setting import declared

PAGE = Path(__file__).with_name("configuration.md")


def with_table(page: str) -> str:
    """The page with a row per setting: its name, what it can be, its default and what it does."""
    rows = ["| setting | values | default | what it does |", "|---|---|---|---|"]
    for name, setting in declared(RunConfig).items():
        default = "" if setting.default in (None, (), {}) or name == "data" else f"`{str(setting.default).lower()}`"
        usual = f"Default: {setting.setting.otherwise}." if setting.setting.otherwise else ""
        words = " ".join(filter(None, (setting.setting.help, setting.setting.more, usual))).replace("*", "\\*")
        rows.append(f"| `{name}` | {setting.values} | {default} | {words} |")
    return re.sub(r"\| setting \|.*?\n\n", lambda _: "\n".join(rows) + "\n\n", page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
