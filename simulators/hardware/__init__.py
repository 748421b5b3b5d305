"""Virtual sensors, meters and chargers that speak bytes and registers on pseudo-terminals, and a NOR flash.

The node firmware runs on them unchanged. They model what a driver can meet: slow bytes, noise, bad check sums,
silence and a pulled plug.
"""
