"""A city's yearly figures: derived, reported, checked by the verifiers' rules."""
