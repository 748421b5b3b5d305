"""Who gets in and who does not, against real servers."""
