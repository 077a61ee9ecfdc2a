"""A seeded world of card payments: numbers for training, full records with personal data for the demo."""

from models.simulator.records import identifying_values, payments
from models.simulator.world import Payments, Recipe, simulate

__all__ = ["Payments", "Recipe", "identifying_values", "payments", "simulate"]
