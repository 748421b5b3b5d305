"""Serial lines and what is connected to them."""
