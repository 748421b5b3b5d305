"""A city on one machine: demo, run, init, and the processes they start."""
