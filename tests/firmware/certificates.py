"""A certificate authority for tests: server and client certificates (P-256), also ones that have expired."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


def name(common: str) -> x509.Name:
    """A subject."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Authority:
    """Signs certificates and writes them below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = self._signed("test CA", self.key.public_key(), NOW - DAY, NOW + 30 * DAY, ca=True)
        self._write("ca.pem", self.cert.public_bytes(PEM))
        self._write("ca.der", self.cert.public_bytes(DER))

    def _write(self, file: str, data: bytes) -> Path:
        (self.folder / file).write_bytes(data)
        return self.folder / file

    def _signed(
        self, common: str, public: ec.EllipticCurvePublicKey, start: datetime.datetime, end: datetime.datetime, ca: bool
    ) -> x509.Certificate:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("broker")])
        return (
            x509.CertificateBuilder(name("test CA"), name(common), public, x509.random_serial_number(), start, end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, common: str, days: int = 20, since: int = 1) -> None:
        """Write `<common>.pem`, `.key.pem`, `.der` and `.key.der`; negative `days` make one that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        start, end = NOW - since * DAY, NOW + days * DAY
        if end < start:
            start = end - DAY
        cert = self._signed(common, key.public_key(), start, end, ca=False)
        for encoding, end_ in ((PEM, "pem"), (DER, "der")):
            self._write(f"{common}.{end_}", cert.public_bytes(encoding))
            private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            self._write(f"{common}.key.{end_}", private)

    def listener(self, port: int, server: str = "server") -> str:
        """Lines for mosquitto.conf: a listener that wants client certificates."""
        at = self.folder
        return (
            f"listener {port} 127.0.0.1\ncafile {at}/ca.pem\ncertfile {at}/{server}.pem\n"
            f"keyfile {at}/{server}.key.pem\nrequire_certificate true"
        )
