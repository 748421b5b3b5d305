"""What an operator writes, as typed values: the city file, the settings, TOML with file and line."""
