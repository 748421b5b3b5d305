"""From KPI values to what a verifier, a mayor and an index read: rules, scores, proof, comparison. Pure."""
