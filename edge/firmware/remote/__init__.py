"""What an operator controls from afar: commands, configuration, updates, and reports of the state."""
