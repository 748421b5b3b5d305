"""The commands, one file each. Every module has `add_to(app)` and is found by its presence in this folder."""
