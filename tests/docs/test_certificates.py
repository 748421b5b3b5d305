"""docs/how-to/certificates.md, followed: the listeners that it prints, in a real Mosquitto, and clients by TLS."""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path

from tests.docs.pages import Page, run
from tests.processes import free_port, need
from tests.servers import Mosquitto

CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"


def broker(folder: Path, printed: str) -> tuple[Mosquitto, int]:
    """A Mosquitto with the printed listener, on a free port."""
    assert "listener 8883" in printed
    port = free_port()
    return Mosquitto(folder, extra=printed.replace("listener 8883", f"listener {port} 127.0.0.1")), port


def accepted(port: int, host: str, pki: Path, name: str) -> bool:
    """Whether the broker, known by this name, answers a client with this certificate."""
    context = ssl.create_default_context(cafile=str(pki / "infrastructure-ca.crt"))
    [certificate] = (pki / "issued").glob(f"*{name}.crt")
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.sendall(CONNECT)
            return connection.recv(4) == b"\x20\x02\x00\x00"
    except (ssl.SSLError, ConnectionError):
        return False


def test_the_page_leads_to_brokers_that_let_in_who_is_enrolled_and_not_revoked(tmp_path: Path) -> None:
    page, pki = Page("docs/how-to/certificates.md"), tmp_path / "pki"
    need("openssl")
    run(page.take("cityvitals enrol ca"), tmp_path)
    edge, edge_port = broker(tmp_path / "edge", run(page.take("cityvitals enrol broker edge --devices"), tmp_path))
    hub, hub_port = broker(tmp_path / "hub", run(page.take("cityvitals enrol broker hub"), tmp_path))
    for kind in ("gateway", "device"):
        run(page.take(f"cityvitals enrol {kind}"), tmp_path)
    assert "OK" in run(page.take("openssl verify"), tmp_path)
    with edge, hub:
        assert accepted(edge_port, "gateway.local", pki, "aq-001")
        assert accepted(hub_port, "central.local", pki, "gateway-1")
        assert not accepted(edge_port, "gateway.local", pki, "gateway-1")
        assert not accepted(hub_port, "central.local", pki, "aq-001")
        assert not accepted(edge_port, "central.local", pki, "aq-001"), "the client knows the broker by its name"
        printed = run(page.take("cityvitals enrol revoke"), tmp_path)
        assert "pki/devices-crl.pem" in printed
        assert "restart" in printed
        edge.restart()
        assert not accepted(edge_port, "gateway.local", pki, "aq-001")
        run("cityvitals enrol device aq-001", tmp_path)
        for old in pki.glob("issued/revoked-*"):
            old.unlink()
        assert accepted(edge_port, "gateway.local", pki, "aq-001"), "enrolled again"
    listed = run(page.take("cityvitals doctor --pki"), tmp_path, codes=(0, 1))
    assert re.search(r"^ok +.*certificate", listed, re.M), listed
    assert page.left == []


def test_the_commands_of_the_page_of_security_work_in_their_order(tmp_path: Path) -> None:
    page = Page("docs/security.md")
    printed = [run(page.take("cityvitals"), tmp_path, codes=(0, 1)) for _ in page.left[:]]
    assert [text for text in printed if "Error" in text or "Usage" in text] == []
    assert all("/etc/mosquitto/tls/" in text for text in printed[1:3])
    assert "aq-002" in printed[5]
    assert (tmp_path / "pki" / "nodes" / "aq-002" / "node.json").is_file()
