"""The HTTP API and the live page: read-only, from the store.

An answer is the current content of the store. While the store does not answer, the API answers 503, never with old or
empty values.
"""
