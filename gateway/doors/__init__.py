"""Doors: how messages arrive. Every door hands the same `Incoming` to the same core and acknowledges after the commit.

MQTT is the gateway's own connection (`gateway.service`). The others run in threads of their own and deliver through an
`Inbox`: HTTP push, OCPP, serial lines.
"""
