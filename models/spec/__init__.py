"""A model's spec, `model.yaml`: what it looks at, how it is trained and on what."""

from models.spec.estimator import ISOLATION_FOREST, PARAMETERS, EstimatorSpec
from models.spec.spec import SPEC, Spec, load_spec

__all__ = ["ISOLATION_FOREST", "PARAMETERS", "SPEC", "EstimatorSpec", "Spec", "load_spec"]
