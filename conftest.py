"""Every Python example in the README and the docs is executed; examples in docstrings run as doctests."""

from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

import numpy as np
import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE),
        SkipParser(),
    ],
    patterns=["*.md"],
).pytest()


@pytest.fixture(autouse=True)
def numpy_as_np(doctest_namespace: dict[str, object]) -> None:
    """Examples in docstrings take `import numpy as np` as done."""
    doctest_namespace["np"] = np
