"""The HTTP API and the live page: reads from the store; writes only for the roles of `api/roles.py`.

An answer is the current content of the store. While the store does not answer, the API answers 503, never with old or
empty values.
"""
