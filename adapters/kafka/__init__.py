"""Kafka: the log that a distributed engine works on, and the topic of its values."""
