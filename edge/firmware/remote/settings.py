"""The node's one configuration file `node.json`: what may stand in it, and what it means when left out."""

import json

# name: (type, default, least, most); a default of None means that the key must be given.
_MQTT = {
    "host": (str, None, 1, 255),
    "port": (int, 1883, 1, 65535),
    "user": (str, "", 0, 255),
    "password": (str, "", 0, 255),
    "keepalive_s": (int, 60, 2, 3600),
    "window": (int, 4, 1, 32),
    "backoff_max_s": (int, 300, 1, 3600),
    "limit": (int, 1024, 640, 16384),
    "tls": (dict, {}, 0, 4),
}
_WIFI = {
    "ssid": (str, None, 1, 32),
    "password": (str, "", 0, 64),
    "ssid2": (str, "", 0, 32),
    "password2": (str, "", 0, 64),
}
_TOP = {
    "city": (str, None, 1, 64),
    "device": (str, None, 1, 64),
    "interval_s": (int, 60, 1, 86400),
    "health_s": (int, 600, 1, 86400),
    "batch": (int, 10, 1, 50),
    "watchdog_s": (int, 30, 4, 300),
    "ota_key": (str, "", 0, 128),
    "mqtt": (_MQTT, None, 0, 0),
    "wifi": (_WIFI, {}, 0, 0),
    "lan": (dict, {}, 0, 12),
    "board": (str, "", 0, 16),
    "led": (int, -1, -1, 48),
    "button": (int, -1, -1, 48),
    "battery": (dict, {}, 0, 4),
    "sleep": (bool, False, 0, 1),
    "ntp": (list, [], 0, 5),
    "ntp_wait_s": (int, 300, 0, 86400),
    "sensors": (list, None, 1, 24),
}


def _nearest(key, known):
    """The known key that shares most letters, for the error message."""
    return max(sorted(known), key=lambda name: 2 * len(set(key) & set(name)) - len(set(key) ^ set(name)))


def _scalar(where, value, kind, least, most):
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        raise ValueError("%s: expected %s" % (where, kind.__name__))
    if kind is bool:
        return value
    size = value if kind is int else len(value)
    if not least <= size <= most:
        raise ValueError("%s: not in %d..%d" % (where, least, most))
    return value


def _table(where, given, schema):
    for key in given:
        if key not in schema:
            raise ValueError("%s%s: unknown key, did you mean %s?" % (where, key, _nearest(key, schema)))
    out = {}
    for key, (kind, default, least, most) in schema.items():
        if key not in given:
            if default is None:
                raise ValueError("%s%s: missing" % (where, key))
            out[key] = default
        elif isinstance(kind, dict):
            out[key] = _table(where + key + ".", _scalar(where + key, given[key], dict, 0, 99), kind)
        else:
            out[key] = _scalar(where + key, given[key], kind, least, most)
    return out


def _name(where, value):
    """City and device stand in topics: letters, digits and a few marks only."""
    for char in value:
        if not (char.isalpha() or char.isdigit() or char in "-_.:"):
            raise ValueError("%s: %r is not allowed" % (where, char))


def checked(given):
    """Return the configuration with every default filled in; ValueError names the key that is wrong."""
    if not isinstance(given, dict):
        raise ValueError("not a table of keys")
    conf = _table("", given, _TOP)
    _name("city", conf["city"])
    _name("device", conf["device"])
    for i, sensor in enumerate(conf["sensors"]):
        if not isinstance(sensor, dict) or not isinstance(sensor.get("driver"), str):
            raise ValueError("sensors[%d]: needs a driver" % i)
        _name("sensors[%d].driver" % i, sensor["driver"])
        if "channel" in sensor:
            _name("sensors[%d].channel" % i, _scalar("sensors[%d].channel" % i, sensor["channel"], str, 1, 24))
    for i, server in enumerate(conf["ntp"]):
        _scalar("ntp[%d]" % i, server, str, 1, 255)
    return conf


def load(path):
    """Read and check the file."""
    with open(path) as f:
        return checked(json.load(f))
