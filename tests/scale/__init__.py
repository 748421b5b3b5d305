"""The job of the distributed engine: equal to the embedded one, whatever happens to its workers and its log."""
