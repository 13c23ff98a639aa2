"""The site: `make docs` builds it into docs/_build."""

project = "likely"
author = "The developers of likely"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "likely"
exclude_patterns = ["_build"]
