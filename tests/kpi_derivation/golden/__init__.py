"""Derivations against cases from outside our code, and laws that hold for any readings."""
