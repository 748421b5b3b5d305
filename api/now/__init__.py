"""What the first view of the page shows of a city at this moment: air, electricity, charging, what needs a look."""
