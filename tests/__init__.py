"""What CityVitals promises, as tests that run against the real servers."""
