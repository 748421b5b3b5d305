"""Files that the API serves for the page."""
