"""What the demo city shows beside its readings: figures, targets, neighbours, faults, a map, tokens. All invented."""
