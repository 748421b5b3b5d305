"""InfluxDB with passwords, over TLS, and the database the store makes."""

from __future__ import annotations

import datetime
import ipaddress
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.stores import open_store
from telemetry.errors import CityVitalsError, Unavailable
from telemetry.kpi_value import KpiQuery
from tests.adapters.stores.samples import kpi
from tests.servers import InfluxDB, fetch


class WithPasswords(InfluxDB):
    """Asks every client who it is."""

    def arguments(self) -> list[str | Path]:
        given = super().arguments()
        config = self.folder / "influxdb.conf"
        config.write_text(config.read_text() + "  auth-enabled = true\n")
        return given

    def execute(self, query: str) -> None:
        fetch(f"{self.url}/query?u=root&p=root", urlencode({"q": query}).encode())


class OverTls(InfluxDB):
    """Speaks HTTPS with a certificate of its own making."""

    def arguments(self) -> list[str | Path]:
        given = super().arguments()
        config = self.folder / "influxdb.conf"
        pem = certificate(self.folder / "server.pem")
        config.write_text(config.read_text() + f'  https-enabled = true\n  https-certificate = "{pem}"\n')
        return given

    def ready(self) -> bool:
        with socket.create_connection((self.host, self.port), timeout=1):
            return True


def certificate(path: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that signs itself, valid for a day on either side of now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    with path.open("ab") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, *plain))
    return path


@pytest.fixture
def guarded(server: Any) -> WithPasswords:
    influx: WithPasswords = server(WithPasswords)
    influx.execute("CREATE USER root WITH PASSWORD 'root' WITH ALL PRIVILEGES")
    influx.execute("CREATE DATABASE city; CREATE USER writer WITH PASSWORD 'w'; GRANT ALL ON city TO writer")
    return influx


def test_a_user_without_the_right_to_make_databases_writes_into_the_one_given(
    guarded: WithPasswords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYVITALS__STORE__USERNAME", "writer")
    monkeypatch.setenv("CITYVITALS__STORE__PASSWORD", "w")
    store = open_store(f"influxdb://{guarded.host}:{guarded.port}/city")
    store.put_kpis([kpi()])
    assert store.kpis(KpiQuery("aba")) == [kpi()]


def test_without_a_password_the_setting_is_named(guarded: WithPasswords) -> None:
    store = open_store(f"influxdb://{guarded.host}:{guarded.port}/city")
    with pytest.raises(CityVitalsError, match="Set CITYVITALS__STORE__USERNAME and PASSWORD"):
        store.put_kpis([kpi()])
    with pytest.raises(CityVitalsError, match="rejected the credentials"):
        store.ping()


def test_over_tls_a_trusted_certificate_is_needed(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    influx = server(OverTls)
    url = f"influxdbs://{influx.host}:{influx.port}/city"
    with pytest.raises(Unavailable, match=r"(?i)certificate"):
        open_store(url).ping()
    monkeypatch.setenv("SSL_CERT_FILE", str(influx.folder / "server.pem"))
    store = open_store(url)
    store.put_kpis([kpi()])
    assert store.kpis(KpiQuery("aba")) == [kpi()]


def test_the_write_api_of_2_asks_for_a_trusted_certificate_too(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    influx = server(OverTls)
    url = f"influxdb2s://{influx.host}:{influx.port}/city?org=o"
    with pytest.raises(Unavailable, match=r"(?i)certificate"):
        open_store(url).put_kpis([kpi()])
    monkeypatch.setenv("SSL_CERT_FILE", str(influx.folder / "server.pem"))
    with pytest.raises(CityVitalsError, match=r"404|not found"):  # reached: InfluxDB 1.6 has no /api/v2/write
        open_store(url).put_kpis([kpi()])


def policies(influxdb: InfluxDB, url: str) -> list[tuple[str, str, str]]:
    found = influxdb.query(f'SHOW RETENTION POLICIES ON "{url.rpartition("/")[2]}"')
    return [(row["name"], row["duration"], row["shardGroupDuration"]) for row in found]


def test_a_missing_database_is_made_with_long_shards(influxdb: InfluxDB, influx_url: str) -> None:
    open_store(influx_url).put_kpis([kpi()])
    assert policies(influxdb, influx_url) == [("autogen", "0s", "2016h0m0s")]


def test_a_database_that_is_there_stays_as_it_is(influxdb: InfluxDB, influx_url: str) -> None:
    influxdb.create(influx_url.rpartition("/")[2])
    store = open_store(influx_url)
    store.put_kpis([kpi()])
    assert store.kpis(KpiQuery("aba")) == [kpi()]
    assert policies(influxdb, influx_url) == [("autogen", "0s", "168h0m0s")]
