"""The parameters of the estimators are those that `RunConfig` and the tables of arrays declare."""

import inspect
from typing import Any, Literal, get_type_hints

import pytest

import likely
from likely.config import RunConfig
from likely.config.setting import declared
from likely.estimators.parameters import ClassifierParameters, RegressorParameters, parameters_of

ESTIMATORS = [
    ("classifier", likely.Classifier, ClassifierParameters),
    ("regressor", likely.Regressor, RegressorParameters),
]


@pytest.mark.parametrize(("kind", "estimator", "types"), ESTIMATORS)
def test_signature_types_and_reference_name_the_same_parameters(
    kind: Literal["classifier", "regressor"], estimator: Any, types: Any
) -> None:
    parameters = parameters_of(kind)
    assert set(get_type_hints(types)) | {"network"} == set(parameters)
    assert sorted(parameters) == sorted(estimator().get_params())
    for name, parameter in parameters.items():
        assert getattr(estimator(), name) == parameter.default
        assert inspect.signature(estimator).parameters[name].default == parameter.default
        assert f"\n        {name}: " in estimator.__doc__


@pytest.mark.parametrize(("kind", "estimator", "types"), ESTIMATORS)
def test_defaults_are_those_of_the_configuration(
    kind: Literal["classifier", "regressor"], estimator: Any, types: Any
) -> None:
    settings = declared(RunConfig)
    for name, parameter in parameters_of(kind).items():
        if name in settings and name != "dtype":
            assert parameter.default == (settings[name].default or parameter.default)


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(TypeError, match=r"Classifier.*unexpected keyword argument 'freez'"):
        likely.Classifier(freez=("blocks.0.*",))  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        likely.Classifier("mlp", (16,))  # type: ignore[misc]
