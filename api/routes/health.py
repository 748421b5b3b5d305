"""/healthz, /readyz and /metrics, for operators."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from api.metrics import CONTENT_TYPE, family, freshness
from api.model import Health
from api.problems import responses
from api.queries import newest
from api.state import State, StateOf
from registry.health import checks
from telemetry.errors import Unavailable
from telemetry.kpi_value import StoredKpi

router = APIRouter(tags=["operation"])


@router.get("/healthz", response_model=Health)
async def healthz() -> dict[str, str]:
    """The process answers; the store is not checked, and no thread that may wait for it is needed."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Health, responses=responses(503))
def readyz(state: StateOf) -> dict[str, str]:
    """Readings arrive and become values: the store answers, and ingest and gateways were heard within the limits.

    For monitoring. Whether this process serves requests is /healthz, which probes of an orchestrator should use.
    """
    state.store.ping()
    found = checks(state.store.heartbeats(), state.clock(), state.limits)
    wrong = [f"{c.name}: {c.text}" for c in found if c.ok is False]
    if wrong:
        raise Unavailable("; ".join(wrong) + ".")
    return {"status": "ready"}


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(state: StateOf) -> PlainTextResponse:
    """Requests, whether the store answers, and the time of the last change of KPI values, in Prometheus text format."""
    up, values = _look(state)
    parts = (
        family("cityvitals_api_requests_total", "counter", "Requests answered.", state.requests.samples()),
        family(
            "cityvitals_api_request_seconds_total", "counter", "Seconds spent on requests.", state.requests.durations()
        ),
        family("cityvitals_api_live_clients", "gauge", "Clients of /v1/live.", [({}, state.hub.watchers)]),
        family(
            "cityvitals_heartbeat_timestamp_seconds",
            "gauge",
            "When a program was heard last, Unix time.",
            _heartbeats(state, up),
        ),
        family("cityvitals_store_up", "gauge", "1 when the store answers.", [({}, up)]),
        family(
            "cityvitals_kpi_updated_timestamp_seconds",
            "gauge",
            "When a KPI value last changed, Unix time.",
            freshness(values),
        ),
        family(
            "cityvitals_unregistered_devices",
            "gauge",
            "Devices of the last 25 hours that are in no KPI, because the city file lacks them or a quantity.",
            _unregistered(state, up),
        ),
    )
    return PlainTextResponse("".join(parts), media_type=CONTENT_TYPE)


def _heartbeats(state: State, up: int) -> list[tuple[dict[str, str], float]]:
    beats = state.store.heartbeats() if up else []
    return [({"role": b.role, "name": b.name}, b.time / 1000) for b in beats]


def _unregistered(state: State, up: int) -> list[tuple[dict[str, str], float]]:
    records = [r for r in state.store.cities() if r.config.get("device")] if up else []
    return [({"city": r.id}, state.unregistered.of(r, state.store, state.clock())) for r in records]


def _look(state: State) -> tuple[int, list[StoredKpi]]:
    """Whether the store answers, and the newest values; a store that does not answer is a metric here, not an error."""
    try:
        measured = [r.id for r in state.store.cities() if r.config.get("device")]  # the others report by hand only
        values = [value for city in measured for value in newest(state.store, city)]
    except Unavailable:
        return 0, []
    return 1, values
