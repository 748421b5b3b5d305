"""Records of a node: numbering, the flash ring, their encodings, and their delivery."""
