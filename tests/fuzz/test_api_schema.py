"""The API answers everything its own description allows, as the description says (schemathesis)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from adapters.sqlite.store import SqliteStore
from api.server import ApiServer
from api.settings import ApiSettings
from tests.api.city import CITY, NOW, seed
from tests.processes import wait_for

_KNOWN = {"city": CITY, "code": "EN:EN:AQ:1C", "device": "air_reference-01"}
_EXAMPLES = 40 if os.environ.get("CITYVITALS_LONG") else 6  # of each operation; other ones in each run
_ENDLESS = "/v1/live"  # a stream of events has no end to wait for


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = SqliteStore(tmp_path_factory.mktemp("schema") / "seeded.db")
    seed(store)
    server = ApiServer(ApiSettings(port=0), store, lambda: NOW)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started, what="the API to start")
    yield server.url
    server.stop()
    thread.join(15)


@pytest.mark.parametrize("name", ["positive", "negative"])
def test_every_answer_is_as_described(url: str, name: str) -> None:
    schemathesis = pytest.importorskip("schemathesis")  # here: each worker would spend a second on it at its start
    checks = pytest.importorskip("schemathesis.specs.openapi.checks")
    assert {mode.value for mode in schemathesis.GenerationMode} == {"positive", "negative"}
    mode = schemathesis.GenerationMode(name)
    described = schemathesis.openapi.from_url(f"{url}/openapi.json").exclude(path=_ENDLESS)
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()
        if mode.is_negative and not operation.query:
            continue  # there is nothing about it that could be wrong

        @hypothesis.settings(
            max_examples=_EXAMPLES // 2 if mode.is_negative else _EXAMPLES,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), known=hypothesis.strategies.booleans())
        def ask(case: Any, known: bool) -> None:
            if known:  # nobody guesses the name of a city, and of any other the answer is that there is none
                case.path_parameters = {name: _KNOWN.get(name, value) for name, value in case.path_parameters.items()}
            # A period or a time that is none is refused in words; the description cannot say which texts those are.
            case.call_and_validate(excluded_checks=[checks.positive_data_acceptance])

        ask()
        tried += 1
    assert tried >= (4 if mode.is_negative else 8)
