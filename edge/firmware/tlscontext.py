"""TLS as a node needs it: the broker's certificate and name are checked, and the node shows its own."""


def _read(path):
    with open(path, "rb") as f:
        return f.read()


def context(mbed, root, files):
    """Return a client context; `files` names ca, and for a client certificate cert and key (DER)."""
    ctx = mbed.SSLContext(mbed.PROTOCOL_TLS_CLIENT)
    ctx.verify_mode = mbed.CERT_REQUIRED
    ctx.load_verify_locations(_read(root + "/" + files["ca"]))
    if "cert" in files:
        ctx.load_cert_chain(_read(root + "/" + files["cert"]), _read(root + "/" + files["key"]))
    return ctx
