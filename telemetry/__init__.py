"""The shared nouns: quantities, series, readings, window partials, periods, topics.

Promise: pure. Nothing in here opens a file or a socket or asks for the time.
"""
