"""Everything that runs at the edge: the node firmware, and the tools that build and load it."""
