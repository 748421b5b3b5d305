"""Signed evidence: the windows a pack's values are derived from, a manifest with hashes, and the check of both."""
