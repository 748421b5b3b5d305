"""What every `Store` does: one suite of facts, run over each implementation."""
