"""Tests of the ring of records and what must survive in it."""
