"""Goals: a target with baseline and deadline, how fast it must be approached, and how fast it is."""
