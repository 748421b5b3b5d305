"""Network of a node: MQTT, name resolution, time servers, TLS."""
