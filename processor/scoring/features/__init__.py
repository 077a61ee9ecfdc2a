"""What a model looks at: one definition of every feature, used by training and by serving.

A feature is of a kind. Kinds over one raw field (`FIELD_KINDS`) are computed for a batch at once; kinds over
what is known of an entity (`PROFILE_KINDS`) one record after the other, because each record of an entity is
known to the next.
"""

from processor.scoring.features.described import describe, restore
from processor.scoring.features.feature import Feature, Zone
from processor.scoring.features.feature_set import Contribution, FeatureSet, Label, Memory, Step
from processor.scoring.features.kinds import FIELD_KINDS, PROFILE_KINDS
from processor.scoring.features.values import instant, number

__all__ = [
    "FIELD_KINDS",
    "PROFILE_KINDS",
    "Contribution",
    "Feature",
    "FeatureSet",
    "Label",
    "Memory",
    "Step",
    "Zone",
    "describe",
    "instant",
    "number",
    "restore",
]
