"""The site: `make docs` builds it into docs/_build."""

from typing import Any

project = "likely"
author = "The developers of likely"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
napoleon_custom_sections = [("Reference", "notes")]
highlight_language = "text"  # formulas; examples are marked as Python by their prompts
html_theme = "furo"
html_title = "likely"
exclude_patterns = ["_build"]

_SECTIONS = ("Args:", "Returns:", "Raises:", "Example:", "Reference:")


def setup(app: Any) -> None:
    """Docstrings are plain text first: indented formulas stay as they are, and |x| is no mark of reStructuredText."""

    def as_restructured_text(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
        written: list[str] = []
        in_section = in_formula = False
        for line in lines:
            if line and not line[0].isspace():
                in_section, in_formula = line.startswith(_SECTIONS), False
            elif line.startswith("    ") and not in_section and not in_formula and written and not written[-1]:
                written += ["::", ""]
                in_formula = True
            is_code = in_formula or line.lstrip().startswith((">>>", "..."))
            written.append(line if is_code else line.replace("|", "\\|"))
        lines[:] = written

    def names_and_defaults(app: Any, what: str, name: str, obj: Any, options: Any, signature: str, returns: str) -> Any:
        """Of a checked document: its types with their validators would fill a page."""
        if not hasattr(obj, "model_fields"):
            return None
        fields = obj.model_fields.items()
        shown = [n if f.is_required() else f"{n}={f.get_default(call_default_factory=True)!r}" for n, f in fields]
        return f"(*, {', '.join(shown)})", returns

    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)
    app.connect("autodoc-process-signature", names_and_defaults)
