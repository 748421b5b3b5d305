"""The proof of a value: what it rests on, down to each device."""
