"""The form of the portal: its page, what was entered, and what is wrong with it."""

from . import code

NAMES = ("ssid", "password", "ssid2", "password2", "server", "code")
_LABELS = (
    "Wi-Fi network", "its password", "Second network (optional)", "its password", "Enrolment server", "One-time code",
)  # fmt: skip
_MOST = (32, 64, 32, 64, 255, 60)
_HEAD = (
    "<!doctype html><meta name=viewport content='width=device-width'><title>CityVitals node</title>"
    "<style>body{font:16px sans-serif;margin:1em;max-width:28em}input{width:100%%;font:inherit;padding:.4em;"
    "box-sizing:border-box}label{display:block;margin:.8em 0 .2em}b{color:#b00}</style><h1>CityVitals node</h1>"
)


def escaped(text):
    """A text for a page: names of networks in the air may be anything."""
    for char, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#39")):
        text = text.replace(char, "&%s;" % name)
    return text


def page(values, networks, problem):
    """The page with the form; passwords are never shown again."""
    out = [_HEAD % ()]
    if problem:
        out.append("<p><b>%s</b></p>" % escaped(problem))
    out.append("<form method=post action=/>")
    for name, label in zip(NAMES, _LABELS):  # noqa: B905 (MicroPython's zip has no `strict`)
        secret = name.startswith("password")
        more = "type=password" if secret else "value='%s'" % escaped(values.get(name, ""))
        more += " list=air" if name.startswith("ssid") else ""
        out.append("<label>%s</label><input name=%s autocapitalize=off autocomplete=off %s>" % (label, name, more))
    out.append("<datalist id=air>%s</datalist>" % "".join(["<option>%s" % escaped(one) for one in networks]))
    out.append("<p><button>Connect</button></p></form>")
    return "".join(out)


def accepted(values):
    """The page after the form."""
    return (
        _HEAD % () + "<p>The node now joins '%s' and enrols itself. Where that fails, its access point is back within"
        " two minutes, and this page has the reason.</p>" % escaped(values["ssid"])
    )


def _plain(text):
    """A value of an HTML form without its percent signs."""
    parts = text.replace("+", " ").encode().split(b"%")
    out = parts[0]
    for part in parts[1:]:
        out += bytes((int(part[:2].decode(), 16),)) + part[2:]
    return out.decode()


def fields(body):
    """What was entered, by name; ValueError where it is not a form."""
    found = {}
    for pair in body.split("&"):
        name, _, value = pair.partition("=")
        if name in NAMES:
            value = _plain(value)
            found[name] = value if name.startswith("password") else value.strip()
    return found


def problem(values):
    """What is wrong, as a sentence; empty where nothing is."""
    for name, label, most in zip(NAMES, _LABELS, _MOST):  # noqa: B905
        value = values.get(name, "")
        if not value and name in ("ssid", "server", "code"):
            return label + " is missing."
        if len(value.encode()) > most:
            return label + " is too long."
    for name in ("password", "password2"):
        if 0 < len(values.get(name, "").encode()) < 8:
            return "A Wi-Fi password has at least 8 characters."
    try:
        code.parsed(values["code"])
        code.place(values["server"])
    except ValueError as err:
        return str(err.args[0])
    return ""
