"""MQTT: the only place that imports an MQTT client."""
