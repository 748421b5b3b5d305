"""What the gateway does with good, bad, late, early, repeated and too many messages."""
