"""The KPI engine against an independent model, and the rules of revisions."""
