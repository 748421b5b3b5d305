"""Node records as one SenML JSON message (RFC 8428).

Our labels: boot, seq, pboot, pseq number the records; up, sent, tq, key, end place them in time; cnt, min, max are
those of a mean. The name is the quantity, with the channel in front where a node has several meters:
`flat-3/energy_total`.
"""

from ..quantities import code, name_and_unit


def decimal(mantissa, decimals):
    """Print a scaled integer exactly: (234, 1) is 23.4, (-5, 2) is -0.05."""
    if not decimals:
        return str(mantissa)
    sign, digits = ("-", str(-mantissa)) if mantissa < 0 else ("", str(mantissa))
    digits = "0" * (decimals + 1 - len(digits)) + digits
    return sign + digits[:-decimals] + "." + digits[-decimals:]


def _stamp(rec, unix, quality, before):
    """The labels that number a record and place it in time: `bt` if known, else the uptime at which it was taken."""
    when = '"bt":%s' % decimal(unix, 1) if unix else '"up":%s' % decimal(rec.up, 1)
    when += ',"tq":%d,"boot":%d,"seq":%d' % (quality, rec.boot, rec.seq)
    if before:
        when += ',"pboot":%d,"pseq":%d' % before
    if rec.key:
        when += ',"key":"%s"' % rec.key
        if unix:
            when += ',"end":%d' % (unix // 10 + rec.duration)
    return when


def _append(out, rec, head):
    for value in rec.values:
        name, mantissa, decimals = value[:3]
        unit = name_and_unit(code(name[name.rfind("/") + 1 :]))[1]
        text = '{%s"n":"%s","u":"%s","v":%s' % (head, name, unit, decimal(mantissa, decimals))
        if len(value) > 3:
            text += ',"cnt":%d,"min":%s,"max":%s' % (
                value[3],
                decimal(value[4], decimals - 1),
                decimal(value[5], decimals - 1),
            )
        out += text.encode()
        out += b"},"
        head = ""


def message(records, times, sent):
    """Return the JSON bytes of some records.

    `times[i]` is the unix time of `records[i]` in tenths of a second, its quality, and on the first record of a boot
    (boot, seq) of the last one of the boot before, else None. The time is None when only the
    uptime is known; then `sent` is the uptime, on the records' own line, at which the message leaves. Built piece by
    piece, because memory is short.
    """
    head = '"sent":%s,' % decimal(sent, 1) if sent is not None else ""
    out = bytearray(b"[")
    for rec, (unix, quality, before) in zip(records, times):  # noqa: B905 (MicroPython's zip has no `strict`)
        _append(out, rec, head + _stamp(rec, unix, quality, before) + ",")
        head = ""
    out[-1:] = b"]"
    return out
