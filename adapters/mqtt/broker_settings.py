"""From the configured broker to connection parameters, with certificates checked before a socket is opened."""

from __future__ import annotations

import ssl

from pydantic import SecretStr

from adapters.mqtt.broker import Broker
from registry.settings import BrokerSettings
from telemetry.errors import UsageError, cause


def broker(settings: BrokerSettings) -> Broker:
    """Connection parameters for `adapters.mqtt.link`. Raises UsageError, also for unusable certificates."""
    secret = settings.password
    result = Broker.parse(
        settings.url,
        **{k: v for k, v in (("username", settings.username), ("password", _reveal(secret))) if v},
        ca=settings.ca,
        cert=settings.cert,
        key=settings.key,
        version=settings.version,
    )
    _check_certificates(result)
    return result


def _check_certificates(place: Broker) -> None:
    """Read the files of TLS, so that a wrong path is reported before anything starts. Raises UsageError."""
    given = {name: path for name in ("ca", "cert", "key") if (path := getattr(place, name))}
    if given and not place.tls:
        raise UsageError(f"The broker {place} has '{next(iter(given))}', which mqtt:// does not use; write mqtts://.")
    for name, path in given.items():
        try:
            path.open("rb").close()
        except OSError as error:
            raise UsageError(
                f"The broker {place}: `{name}` names {path}, which cannot be read: {cause(error)}."
            ) from None
    try:
        context = ssl.create_default_context(cafile=place.ca)
    except ssl.SSLError:
        raise UsageError(f"The broker {place}: `ca` names {place.ca}, which contains no PEM certificate.") from None
    if place.cert or place.key:
        try:
            context.load_cert_chain(place.cert or "", place.key, password="")
        except (OSError, ValueError):
            raise UsageError(
                f"The broker {place}: `cert` {place.cert} and `key` {place.key} do not match, or are not PEM files."
            ) from None


def _reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
