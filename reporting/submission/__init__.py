"""Figures that officers gather: drafts, submitted and verified ones, with their history and who did it."""
