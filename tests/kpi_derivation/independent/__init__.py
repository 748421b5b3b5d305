"""The KPIs recalculated by SQL straight from the recorded files: no code of the engine is used to work them out."""
