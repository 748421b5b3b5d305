"""Files of recorded readings."""
