"""KPI values for people: rules, scores, provenance, comparison, the verifier's pack, open data."""
