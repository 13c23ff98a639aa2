"""What all pages have in common: their templates escape every text, and share the head of the document."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template


@cache
def template(name: str) -> Template:
    """The template in this file of the package; it may include others."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda file: files("likely.report").joinpath(file).read_text(encoding="utf-8")),
    )
    return environment.get_template(name)
