"""The checks that scikit-learn makes of every estimator: 62 of a classifier, 60 of a regressor in its version 1.9."""

import os
import subprocess
import sys
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
import warnings
import likely
from sklearn.utils.estimator_checks import check_array_api_input
warnings.simplefilter("ignore")
check_array_api_input("", likely.{estimator}, **{settings})
print("passed")
"""


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS)
@pytest.mark.filterwarnings("ignore")  # the checks feed odd data on purpose and look at the warnings themselves
def test_the_contract_of_scikit_learn(estimator: Any, check: Any) -> None:
    if check.func.__name__ == "check_array_api_input":
        # SciPy reads this setting when it is imported, so only a new process can have it.
        code = _IN_A_NEW_PROCESS.format(estimator=estimator, settings=check.keywords)
        environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
        child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert child.stdout == "passed\n", child.stderr
    else:
        check(estimator)
