"""One process with one valid certificate does its worst, while honest devices send."""
