"""The verifier's pack: the same bytes from the same readings."""
