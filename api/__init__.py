"""The HTTP API and the live page: read-only, from the store.

Promise: an answer is what the store holds now. A store that does not answer is said to be away (503), never papered
over with old or empty values.
"""
