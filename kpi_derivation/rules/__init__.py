"""Rules that several KPIs share: which stations, meters and events count, and how. Pure."""
