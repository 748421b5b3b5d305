"""The technician's side: enrol, configure, flash and update nodes."""
