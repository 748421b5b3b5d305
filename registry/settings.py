"""What can be configured, as models; reading files and the environment is the command line's business."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from registry.health import Limits
from registry.mapping import Mapping


class Section(BaseModel):
    """A section of the configuration file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})  # hosts that only this machine reaches


class BrokerSettings(Section):
    """A broker: `mqtt://host:1883` or `mqtts://host:8883`, and as whom to connect. `version`: of MQTT."""

    url: str = "mqtt://127.0.0.1:1883"
    version: Literal["3.1.1", "5"] = "3.1.1"
    username: str | None = None
    password: SecretStr | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


class SourceSettings(Mapping):
    """One kind of device: its family, or topic pattern and payload format; what of the family's mapping is otherwise.

    `city` may be left out where the gateway has one city file. `devices`: the sender's names and the registry's ids.
    `prefix`: the first part of the family's topics, where it is set otherwise on the devices. `token`: what a device
    that pushes by HTTP must show.

    A device on a wire: `port` is its serial port, or `tcp://host:502` for Modbus TCP; `device` its id, without it the
    family's name and its unit where that is not 1; `unit` its address on a Modbus line; `baud` and `parity` where they
    differ from the family's; `every_s` how often it is read.
    A folder of files: `folder`, and `files` their recorded family.
    """

    family: str | None = None
    topic: str = "cv/1/{city}/{device}/data"
    prefix: str | None = None
    format: str = "senml"
    city: str | None = None
    devices: dict[str, str] = Field({})
    rename: dict[str, str] = Field({})
    time_key: str = "time"
    token: SecretStr | None = None
    port: str | None = None
    unit: int = Field(1, ge=0, le=255)
    baud: int | None = Field(None, gt=0)
    parity: Literal["N", "E", "O"] | None = None
    every_s: int | None = Field(None, gt=0)
    folder: Path | None = None
    files: str = ""


class PushSettings(Section):
    """HTTP push: where the gateway listens for devices that POST. Without `port` it does not listen.

    `cert`, `key`: for https; `client_ca`: the authority whose certificates devices must show. `open`: sources without a
    token may be reached from other machines. `max_connections`: open at once; half of it of one address.
    """

    host: str = "127.0.0.1"
    port: int | None = Field(None, ge=0, le=65535)
    cert: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    max_body_kb: int = Field(256, gt=0)
    max_connections: int = Field(1000, gt=0)
    open: bool = False


class OcppSettings(Section):
    """OCPP: where charging stations connect, at ws://host:port/<station>. Without `port` the gateway does not listen.

    `passwords`: of each station, for HTTP Basic. `client_ca`: the authority whose certificates stations must show, with
    their id as common name. `open`: stations that are not listed may connect without either. `max_connections`: open at
    once; a quarter of it of one address.
    """

    host: str = "127.0.0.1"
    port: int | None = Field(None, ge=0, le=65535)
    cert: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    passwords: dict[str, SecretStr] = {}
    heartbeat_s: int = Field(300, gt=0)
    max_connections: int = Field(2000, gt=0)
    open: bool = False


class GatewaySettings(Section):
    """The edge gateway. `user_key`: the key of the hash of user ids of charging sessions; never change it.

    It serves the cities of `cities`, of its sources and of the city files; with `registered_only`, only devices that
    the city files list. Messages of others are counted and not stored.
    `brokers`: further brokers whose messages it reads; it publishes on `broker` and `uplink`.
    `share`: which of how many gateways at the same brokers it is, each of which takes its part of the devices.
    """

    id: str = "gateway-1"
    broker: BrokerSettings = BrokerSettings()
    brokers: list[BrokerSettings] = []
    uplink: BrokerSettings | None = None
    source: list[SourceSettings] = [SourceSettings()]
    buffer: Path = Path("gateway.db")
    width_s: int = Field(60, gt=0)
    flush_s: float = Field(1.0, gt=0)
    open_windows: bool = True
    keep_days: float = Field(30.0, gt=0)
    max_buffer_mb: int = Field(4096, gt=0)
    max_payload_kb: int = Field(256, gt=0)
    user_key: SecretStr | None = None
    cities: list[str] = []
    registered_only: bool = False
    share: str = "1/1"
    push: PushSettings = PushSettings()
    ocpp: OcppSettings = OcppSettings()

    @field_validator("share")
    @classmethod
    def _part(cls, value: str) -> str:
        number, slash, of = value.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ValueError(f"'{value}': write which of how many gateways it is, such as 1/2 and 2/2")
        return value

    @field_validator("width_s")
    @classmethod
    def _divides_an_hour(cls, value: int) -> int:
        if 3600 % value:
            raise ValueError(f"a window of {value} s does not divide one hour evenly; use 60 or 300")
        return value


class IngestSettings(Section):
    """The central process: windows into the store, KPIs out of them."""

    id: str = "ingest-1"
    broker: BrokerSettings = BrokerSettings()
    topic: str = "cv/1/+/+/windows"
    publish: bool = True
    open_hours_s: float = Field(60.0, ge=0, le=3600)
    rejects: Path = Path("ingest-rejects.db")


class LogSettings(Section):
    """Kafka, where a distributed engine derives the values instead of ingest: `cityvitals bridge` and `values`.

    `brokers`: as host:port,host:port. `settings`: further ones of librdkafka, such as those of TLS. `tick_s`: seconds
    after new windows until the values of a city are derived.
    """

    brokers: str = "localhost:9092"
    records: str = "cityvitals.log"
    values: str = "cityvitals.values"
    group: str = "cityvitals-values"
    tick_s: float = Field(10.0, gt=0)
    username: str | None = None
    password: SecretStr | None = None
    settings: dict[str, str] = {}

    def client(self) -> dict[str, str]:
        """The settings of a client, with the credentials."""
        found = dict(self.settings)
        if self.username and self.password:
            found |= {"sasl.username": self.username, "sasl.password": self.password.get_secret_value()}
        return found


class StoreSettings(Section):
    """Where everything is kept; credentials for InfluxDB and PostgreSQL.

    `keep_windows_days`: ingest deletes windows that are older than the newest by more; without it none. Hours and KPI
    values are never deleted.
    """

    url: str = "sqlite:///cityvitals.db"
    keep_windows_days: float | None = Field(None, ge=7)
    token: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _windows_can_be_deleted(self) -> StoreSettings:
        if self.keep_windows_days is not None and self.url.startswith("influxdb3"):
            raise ValueError("InfluxDB 3 cannot delete rows: take out keep_windows_days, see docs/how-to/influxdb.md")
        return self


class LoginSettings(Section):
    """Signing in with a provider of OpenID Connect. `address`: of this server, as browsers reach it.

    `claim`: of the id token, whose values give roles; `roles`: read, reporter, operator or admin by such a value.
    """

    issuer: str
    client_id: str
    client_secret: SecretStr | None = None
    address: str
    claim: str = "groups"
    name: str = "preferred_username"
    scope: str = "openid profile"
    roles: dict[str, Literal["read", "reporter", "operator", "admin"]]
    hours: float = Field(8.0, gt=0, le=168)


class ApiSection(Section):
    """The HTTP API and the live page. `tokens`: who may read; without it, `public` must permit everybody.

    With both, everybody reads and tokens give roles. `tiles`: address of map tiles with {z}, {x} and {y}.
    `tile_file`: a PMTiles file with such tiles as pictures, served by the API itself. `ground`: a GeoJSON file drawn
    under the map, its features with `kind` water, green, built, river or road. Without them the map has a plain ground.
    `login`: people sign in with an identity provider.
    `sessions`: a folder with recorded charging sessions for plans, a file `<city>.csv` or `<city>.csv.gz` a city.

    Limits: `rate` requests a second and client, `max_live` clients of the live feed, `max_connections` at once.
    `proxies`: addresses of reverse proxies whose X-Forwarded-For names the client; others are not trusted.
    """

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    poll_s: float = Field(1.0, gt=0)
    tokens: Path | None = None
    public: bool = False
    tiles: str = ""
    tiles_attribution: str = ""
    tile_file: Path | None = None
    ground: Path | None = None
    sessions: Path | None = None
    rate: float = Field(50.0, gt=0)
    max_live: int = Field(1000, gt=0)
    max_connections: int = Field(2000, gt=0)
    proxies: list[str] = []
    login: LoginSettings | None = None
    # Of `cityvitals keygen`; with it, the pages of the index feed are signed.
    signing_key: Path | None = None


class HealthSettings(Limits, Section):
    """After how many seconds of silence `doctor` and /readyz call a program stopped."""


class _Since(Section):
    """Something of one simulated device since a time."""

    device: str
    since: AwareDatetime

    @property
    def since_ms(self) -> int:
        """`since` in ms UTC."""
        return round(self.since.timestamp() * 1000)


class FaultSettings(_Since):
    """A fault of a simulated device.

    silent: sends nothing. high: particles 2.6 times too high. broken: a charger in a fault. garbled: its first message
    has numbers with a comma, which is rejected.
    """

    kind: Literal["silent", "high", "broken", "garbled"]


class UnregisteredSettings(_Since):
    """A simulated device that no city file lists; it sends what the registered device `like` sends."""

    like: str


class SimulateSettings(Section):
    """Simulated nodes for every device of the configured cities, or of one of them.

    `fault`: faults that they have. `unregistered`: devices on the air that nobody has registered.
    """

    city: str | None = None
    broker: BrokerSettings = BrokerSettings()
    interval_s: float = Field(30.0, gt=0)
    fault: list[FaultSettings] = []
    unregistered: list[UnregisteredSettings] = []


class Settings(Section):
    """The whole configuration file."""

    city_files: list[Path] = []
    gateway: GatewaySettings = GatewaySettings()
    ingest: IngestSettings = IngestSettings()
    log: LogSettings = LogSettings()
    store: StoreSettings = StoreSettings()
    api: ApiSection = ApiSection()
    simulate: SimulateSettings = SimulateSettings()
    health: HealthSettings = HealthSettings()
