"""Voluntary Local Review: from a city's values and its own texts to a document, with visible gaps."""
