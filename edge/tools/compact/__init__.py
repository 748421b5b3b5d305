"""The firmware as a node gets it: in one folder, with few files, few names and few texts, because each takes heap."""
