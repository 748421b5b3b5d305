"""The rim of planning: what the commands and the API read from files and stores, and how results are written out."""
