"""What the first view of the page says of a city at this moment: air, electricity, charging, what needs a look."""
