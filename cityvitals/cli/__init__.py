"""The commands, one file each. A module here has `add_to(app)`; the folder is the registry."""
