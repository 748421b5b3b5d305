"""The charging calculator and what it is made of. Pure."""
