"""The KPI engine: pure folding and evaluation, and the catalogue from which everything about a KPI follows."""
