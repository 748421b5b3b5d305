"""ASGI middleware of the API: entity tags, HEAD requests, security headers."""
