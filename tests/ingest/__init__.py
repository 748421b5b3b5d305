"""What ingest does with windows, good and bad, and with a store that goes away."""
