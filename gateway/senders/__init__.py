"""What one sender may use of a gateway, and counts of what is not stored: bounds, names, values without a quantity."""
