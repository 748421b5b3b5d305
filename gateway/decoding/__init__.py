"""From a decoded message to readings: paths, mapping, numbers with units, meter codes. Pure."""
