"""What the API says of time: nothing of the future."""
