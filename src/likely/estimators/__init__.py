"""The scikit-learn doors: `Classifier` and `Regressor` learn from arrays, with the contract that scikit-learn defines.

Everything happens in the recipe; these files only turn arrays into a data set and give the answers their shape.
"""

from likely.estimators.classifier import Classifier
from likely.estimators.regressor import Regressor

__all__ = ["EXPECTED_FAILED_CHECKS", "Classifier", "Regressor"]

EXPECTED_FAILED_CHECKS = {
    "check_sample_weight_equivalence_on_dense_data": "scales, folds and batches count rows, not weights: a row given "
    "twice is not exactly a row of weight 2"
}
"""The checks of `sklearn.utils.estimator_checks` that cannot pass, with the reason."""
