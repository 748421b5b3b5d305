"""Routes of what is reported: targets, comparisons, indices, a region, the city's reports."""
