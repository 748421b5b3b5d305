"""The days of a city: which are dirty, how they are folded, and what is kept of them."""
