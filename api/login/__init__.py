"""People who signed in with the city's identity provider."""
