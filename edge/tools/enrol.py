"""A city's own certificate authorities: who may connect to its brokers, and as whom.

Two authorities, because the brokers must not trust each other's clients: `devices` signs for devices and is all the
edge broker trusts; `infrastructure` signs for brokers and gateways and is all the hub trusts. A certificate's common
name is the id that the brokers' access rules bind to topics, so an id is given once, for one purpose.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from registry import secret_files
from telemetry.errors import UsageError, cause
from telemetry.topics import valid_id

Kind = Literal["device", "gateway", "broker"]
AUTHORITIES = ("devices", "infrastructure")
ROLES = frozenset({"gateway", "operator", "simulator", "ingest", "viewer"})  # users with rights of their own
_YEAR = timedelta(days=365)
_CA_LIFE, _CRL_LIFE = 20 * _YEAR, 10 * _YEAR
_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(?:\.|$))+")


class Issued(NamedTuple):
    """The files of one certificate."""

    certificate: Path
    key: Path
    der: Path
    der_key: Path


class Revoked(NamedTuple):
    """The list that names it now, and where the folder for its board has been put, if it had one."""

    listed: Path
    board: Path | None


def authority_of(kind: Kind) -> str:
    """Which authority signs for it."""
    return "devices" if kind == "device" else "infrastructure"


def make_authorities(folder: Path, city: str, now: datetime) -> None:
    """Make what is missing of both authorities: key (mode 600), certificate and revocation list. Raises UsageError."""
    if not valid_id(city):
        raise UsageError(f"'{city}' is not a valid city id; write 1 to 64 of A-Z a-z 0-9 . _ : - and no dash first.")
    folder.mkdir(parents=True, exist_ok=True)
    for name in AUTHORITIES:
        if not (folder / f"{name}-ca.crt").exists():
            _make_authority(folder, name, city, now)
        elif (known := _city_in(_certificate(folder, name))) != city:
            raise UsageError(f"{folder} holds the authorities of '{known}'; give '{city}' a --pki of its own.")
        if not _list_lasts(folder, name, now):
            _write_list(folder, name, _serials(folder, name), now)


def _make_authority(folder: Path, name: str, city: str, now: datetime) -> None:
    key_file = folder / f"{name}-ca.key"
    if key_file.exists():
        raise UsageError(f"{key_file} exists without {name}-ca.crt; restore that file, or move the key away.")
    key = ec.generate_private_key(ec.SECP256R1())
    # The city has an attribute of its own, because a common name has room for 64 characters.
    place = x509.NameAttribute(NameOID.ORGANIZATION_NAME, city)
    subject = x509.Name([place, *_name(f"{name} CA")])
    builder = _builder(subject, subject, key.public_key(), now, now + _CA_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(ca=True), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    secret_files.write(key_file, _key_bytes(key, serialization.Encoding.PEM))
    (folder / f"{name}-ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def enrol(
    folder: Path, kind: Kind, name: str, now: datetime, days: int = 730, hosts: Sequence[str] = ("localhost",)
) -> Issued:
    """Make key and certificate for an id. Raises UsageError where the id cannot be used or is taken.

    `hosts`: names and addresses under which a broker is reached. Key files have mode 600; DER is for devices.
    """
    if not valid_id(name) or name in ROLES:
        why = "is a role with rights of its own" if name in ROLES else "is not a valid id"
        raise UsageError(f"'{name}' {why}; choose another of 1 to 64 of A-Z a-z 0-9 . _ : - and no dash first.")
    files = Issued(*(folder / "issued" / f"{name}.{end}" for end in ("crt", "key", "der", "key.der")))
    if files.certificate.exists():
        raise UsageError(f"{name} is enrolled already; revoke it first, or choose another id.")
    if taken := next((path for path in files if path.exists()), None):
        raise UsageError(f"{taken} already exists for another id; choose another.")
    authority = authority_of(kind)
    issuer, issuer_key = _load(folder, authority)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(name), issuer.subject, key.public_key(), now, now + timedelta(days=days))
    usage = ExtendedKeyUsageOID.SERVER_AUTH if kind == "broker" else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(ca=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if kind == "broker":
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    files.certificate.parent.mkdir(exist_ok=True)
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.der.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    secret_files.write(files.key, _key_bytes(key, serialization.Encoding.PEM))
    secret_files.write(files.der_key, _key_bytes(key, serialization.Encoding.DER))
    return files


def authority_der(folder: Path, name: str) -> bytes:
    """The certificate of one of the authorities, as DER. Raises UsageError."""
    return _certificate(folder, name).public_bytes(serialization.Encoding.DER)


def city_of(folder: Path) -> str:
    """The city whose authorities these are. Raises UsageError."""
    return _city_in(_certificate(folder, "devices"))


def revoke(folder: Path, name: str, now: datetime) -> Revoked:
    """Put an id's certificate on the revocation list of its authority; the broker must read the list again.

    All that was made for the id is renamed, the certificate last: until then this can be called again.
    """
    path = folder / "issued" / f"{name}.crt"
    if not path.is_file():
        raise UsageError(f"There is no certificate of '{name}' in {folder}.")
    certificate = _read(path)
    authority = next((a for a in AUTHORITIES if _certificate(folder, a).subject == certificate.issuer), None)
    if authority is None:
        raise UsageError(f"{path} was signed by no authority of {folder}; revoke it where it was made.")
    _write_list(folder, authority, _serials(folder, authority) | {certificate.serial_number}, now)
    prefix = f"revoked-{certificate.serial_number:x}"[:20] + "-"
    board, aside = folder / "nodes" / name, folder / "nodes" / f"{prefix}{name}"
    if board.exists():
        board.rename(aside)
    for end in ("key", "der", "key.der", "ota.json", "crt"):
        issued = path.with_name(f"{name}.{end}")
        if issued.exists():
            issued.rename(issued.with_name(f"{prefix}{name}.{end}"))
    return Revoked(folder / f"{authority}-crl.pem", aside if aside.exists() else None)


def listener(folder: Path, broker: str, authority: str, port: int, at: Path | None = None) -> str:
    """The lines of a Mosquitto configuration for a TLS listener that trusts one authority's clients.

    `at`: the folder of the broker that gets copies of the four files, because its user may not read ours.
    """
    names = (f"{authority}-ca.crt", f"{authority}-crl.pem", f"issued/{broker}.crt", f"issued/{broker}.key")
    files = [folder.resolve() / name for name in names]
    hint = "# The user of the broker must be able to read these files; --copies FOLDER names copies of them.\n"
    if at is not None:
        hint = f"# Before: install -D -o mosquitto -m 600 -t {at} {' '.join(map(str, files))}\n"
        files = [at / path.name for path in files]
    ca, crl, certificate, key = files
    return (
        f"{hint}listener {port}\n"
        f"cafile {ca}\ncrlfile {crl}\ncertfile {certificate}\nkeyfile {key}\n"
        "require_certificate true\nuse_identity_as_username true\ntls_version tlsv1.2\n"
    )


def dated_files(folder: Path) -> list[Path]:
    """Certificates in use, and lists of revoked ones."""
    issued = [path for path in sorted(folder.glob("issued/*.crt")) if not path.name.startswith("revoked-")]
    return [*sorted(folder.glob("*-ca.crt")), *sorted(folder.glob("*-crl.pem")), *issued]


def end_of(path: Path) -> datetime:
    """When a certificate, or a list of revoked ones, ends. Raises UsageError for a file that is neither."""
    if path.name.endswith("-crl.pem"):
        return _read_list(path).next_update_utc or datetime.max.replace(tzinfo=UTC)
    return _read(path).not_valid_after_utc


# -- pieces ----------------------------------------------------------------------------------------------------------


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # a device whose clock is a little behind
        .not_valid_after(end)
    )


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if not _HOST.fullmatch(text) or len(text) > 253:
        raise UsageError(
            f"'{text}' is not a valid host; write a name or an address, such as hub.example.org or 192.0.2.7, without"
            " scheme and port"
            " (of a name with other letters its form that begins with xn--)."
        )
    return x509.DNSName(text)


def _key_bytes(key: ec.EllipticCurvePrivateKey, encoding: serialization.Encoding) -> bytes:
    form = serialization.PrivateFormat
    # MicroPython reads the plain SEC 1 form only.
    chosen = form.PKCS8 if encoding is serialization.Encoding.PEM else form.TraditionalOpenSSL
    return key.private_bytes(encoding, chosen, serialization.NoEncryption())


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a readable certificate ({error}); put the right one back.") from None


def _list(folder: Path, authority: str) -> x509.CertificateRevocationList:
    return _read_list(folder / f"{authority}-crl.pem")


def _read_list(path: Path) -> x509.CertificateRevocationList:
    try:
        return x509.load_pem_x509_crl(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a readable list ({error}); `cityvitals enrol ca` makes it.") from None


def _certificate(folder: Path, authority: str) -> x509.Certificate:
    path = folder / f"{authority}-ca.crt"
    if not path.exists():
        raise UsageError(f"{folder} holds no authority '{authority}'; run `cityvitals enrol ca`, or give --pki.")
    return _read(path)


def _load(folder: Path, authority: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate, path = _certificate(folder, authority), folder / f"{authority}-ca.key"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path} cannot be used ({cause(error)}); copy the key from where it is stored.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise UsageError(f"{path} is not the key of {authority}-ca.crt; copy that key from where it is stored.")
    return certificate, key


def _city_in(authority: x509.Certificate) -> str:
    hint = authority.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(hint[0].value) if hint else ""


def _list_lasts(folder: Path, authority: str, now: datetime) -> bool:
    """Whether there is a list of revoked certificates that is good for a year more."""
    try:
        return (_list(folder, authority).next_update_utc or now) > now + _YEAR
    except UsageError:
        return False


def _serials(folder: Path, authority: str) -> set[int]:
    """What an authority has revoked: what its list names, and what was set aside."""
    there = (folder / f"{authority}-crl.pem").exists()
    listed = {entry.serial_number for entry in _list(folder, authority)} if there else set()
    issuer = _certificate(folder, authority).subject
    aside = [_read(path) for path in folder.glob("issued/revoked-*.crt")]
    return listed | {old.serial_number for old in aside if old.issuer == issuer}


def _write_list(folder: Path, authority: str, serials: Iterable[int], now: datetime) -> None:
    issuer, key = _load(folder, authority)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(now - timedelta(hours=1)).next_update(now + _CRL_LIFE)
    for serial in sorted(serials):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        builder = builder.add_revoked_certificate(entry)
    path = folder / f"{authority}-crl.pem"
    draft = path.with_name(f"{path.name}.new")  # half a list would let nobody connect
    draft.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    draft.replace(path)


def utc_now() -> datetime:
    """The moment at which a command runs."""
    return datetime.now(UTC)
