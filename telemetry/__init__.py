"""The shared types: quantities, series, readings, window partials, periods, topics.

Pure: nothing in here opens a file or a socket or reads the clock.
"""
