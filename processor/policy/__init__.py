"""What may leave: the compiled policy and the sanitiser that applies it.

Compiling a policy from YAML is `processor.policy.source`; it is not imported here, so that the Lambda package
needs no YAML.
"""

from __future__ import annotations

from processor.policy.notes import Notes
from processor.policy.plan import Plan, load_plan
from processor.policy.sanitiser import Sanitised, Sanitiser

__all__ = ["Notes", "Plan", "Sanitised", "Sanitiser", "load_plan"]
