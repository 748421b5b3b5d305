"""A region of many cities: import of their figures, profile, groups, peers, heat map, twins."""
