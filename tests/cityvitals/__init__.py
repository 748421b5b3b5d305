"""Durability and operation: damage, disk, restarts, backup, upgrades."""
