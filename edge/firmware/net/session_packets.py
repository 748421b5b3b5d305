"""MQTT packets that are needed only now and then: to connect and to subscribe."""

from .packets import packet, text, u16


def connect(client_id, keepalive_s, will, user=None, password=None):
    """A persistent session with a retained QoS 1 last will `(topic, payload)`."""
    flags = 0x2C | (0x80 if user else 0) | (0x40 if password else 0)
    body = text("MQTT") + bytes((4, flags)) + u16(keepalive_s) + text(client_id) + text(will[0]) + text(will[1])
    if user:
        body += text(user)
    if password:
        body += text(password)
    return packet(0x10, body)


def subscribe(pid, topics):
    """Subscribe to every topic at QoS 1."""
    return packet(0x82, u16(pid) + b"".join([text(t) + b"\x01" for t in topics]))


def unsubscribe(pid, topics):
    """Give up subscriptions."""
    return packet(0xA2, u16(pid) + b"".join([text(t) for t in topics]))
