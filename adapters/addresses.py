"""Which addresses count as one client."""

from __future__ import annotations

import ipaddress


def client_of(address: str) -> str:
    """The client that an address belongs to: of IPv6 its network of 64 bits, of which a host may use every address; of
    IPv4 inside IPv6 (`::ffff:192.0.2.1`) and of anything else the address itself.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
