"""The checks that scikit-learn makes of every estimator: 62 of a classifier, 60 of a regressor in its version 1.9."""

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import likely
from likely.estimators import EXPECTED_FAILED_CHECKS

ESTIMATORS = [
    likely.Classifier(random_state=0),
    likely.Classifier(network="linear", random_state=0),
    likely.Regressor(epochs=40, random_state=0),  # folds choose how many of them, as they do of more
    likely.Regressor(network="linear", random_state=0),
]

_IN_A_NEW_PROCESS = """
import json, traceback, warnings
from likely import Classifier, Regressor
from sklearn.utils.estimator_checks import check_array_api_input
warnings.simplefilter("ignore")
found = {{}}
for estimator in {estimators}:
    try:
        check_array_api_input("", estimator, **{settings})
        found[repr(estimator)] = "passed"
    except Exception:
        found[repr(estimator)] = traceback.format_exc()
print(json.dumps(found))
"""


@cache
def _array_api_checked(settings: str) -> dict[str, str]:
    """What the check says of each estimator; SciPy reads its setting when it is imported, so only a new process can."""
    code = _IN_A_NEW_PROCESS.format(estimators=ESTIMATORS, settings=settings)
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert not child.returncode, child.stderr
    return json.loads(child.stdout)


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS)
@pytest.mark.filterwarnings("ignore")  # the checks feed odd data on purpose and look at the warnings themselves
def test_the_contract_of_scikit_learn(estimator: Any, check: Any) -> None:
    if check.func.__name__ == "check_array_api_input":
        assert _array_api_checked(repr(check.keywords))[repr(estimator)] == "passed"
    else:
        check(estimator)
