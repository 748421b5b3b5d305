"""The version of CityVitals."""

__version__ = "0.1.0"
