"""TLS as a node needs it: the broker's certificate and name are checked, and the node presents its own."""


def context(mbed, board, names):
    """Return a client context; `names`: the files ca, cert and key (DER). OSError names one that is absent."""
    ctx = mbed.SSLContext(mbed.PROTOCOL_TLS_CLIENT)
    ctx.verify_mode = mbed.CERT_REQUIRED
    try:
        ctx.load_verify_locations(board.enrolled(names["ca"]))
    except ValueError:
        raise OSError(22, "%s is not a certificate" % names["ca"])
    if "cert" in names:
        try:
            ctx.load_cert_chain(board.enrolled(names["cert"]), board.enrolled(names["key"]))
        except ValueError:
            raise OSError(22, "%s or %s is not a certificate and its key" % (names["cert"], names["key"]))
    return ctx
