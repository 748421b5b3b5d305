"""What each role may do, as a table of requests to the running API: the page only shows what the API decides."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from adapters.sqlite.store import SqliteStore
from api.access import add_token, read_tokens
from api.operator import Operator
from api.roles import ROLES, needed, role_of, suffices
from api.server import ApiServer
from api.settings import ApiSettings
from tests.api.city import CITY, NOW, seed
from tests.processes import wait_for

WHO = (None, "read", "reporter", "operator", "admin")
FIGURE = {"code": "EC:P:IN:1C", "year": 2025, "value": "3.1", "source": "Office", "quality": "measured"}
# Method, path, body, and from which of WHO on it is permitted.
RIGHTS: list[tuple[str, str, Any, str | None]] = [
    ("GET", "/v1/cities", None, None),
    ("GET", f"/v1/cities/{CITY}/now", None, None),
    ("GET", "/v1/me", None, None),
    ("GET", "/v1/compare", None, None),
    ("GET", f"/v1/cities/{CITY}/report/form?year=2025", None, None),
    ("POST", f"/v1/cities/{CITY}/report/figures", {"figures": [FIGURE]}, "reporter"),
    ("GET", f"/v1/cities/{CITY}/report/states?year=2025", None, "reporter"),
    ("POST", f"/v1/cities/{CITY}/report/verify", {"year": 2025, "figures": [{"code": FIGURE["code"]}]}, "operator"),
    ("GET", "/v1/admin/rejects", None, "operator"),
    ("GET", "/v1/admin/health", None, "operator"),
    ("POST", "/v1/admin/rejects/replay", {"ids": [1]}, "operator"),
    ("POST", "/v1/admin/rejects/send", {"topic": "cv/1/a/b/data", "payload": "[]"}, "operator"),
    ("GET", f"/v1/admin/ledger?city={CITY}", None, "operator"),
    ("POST", "/v1/admin/devices", {"city": CITY, "device": "air-70", "like": "air_reference-01"}, "operator"),
    ("GET", "/v1/admin/tokens", None, "admin"),
    ("POST", "/v1/admin/tokens", {"name": "new", "scopes": ["read"]}, "admin"),
    ("DELETE", "/v1/admin/tokens/new", None, "admin"),
]
done: list[str] = []


def operations() -> Operator:
    def register(*of: Any) -> str:
        done.append(f"register {of}")
        return "registered"

    return Operator(
        register=register,
        rejects=lambda limit: [],
        replay=lambda ids: ["replayed"],
        resend=lambda topic, payload: "sent",
        ledger=lambda store, city, period: {"period": period, "as_of": None, "devices": []},
    )


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, dict[str | None, str], Path]]:
    """A public API with a token of each role."""
    import threading

    folder = tmp_path_factory.mktemp("roles")
    store, path = SqliteStore(folder / "roles.db"), folder / "tokens"
    seed(store)
    tokens: dict[str | None, str] = {scope: add_token(path, f"the-{scope}", [scope]) for scope in WHO if scope}
    settings = ApiSettings(port=0, tokens=path, public=True, operator=operations())
    server = ApiServer(settings, store, lambda: NOW)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, what="the API to start")
        with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
            yield client, tokens, path
    finally:
        server.stop()
        thread.join(15)


def ask(api: Any, who: str | None, method: str, path: str, body: Any) -> httpx.Response:
    client, tokens, _ = api
    headers = {"Authorization": f"Bearer {tokens[who]}"} if who else {}
    found: httpx.Response = client.request(method, path, json=body, headers=headers)
    return found


@pytest.mark.parametrize(("method", "path", "body", "least"), RIGHTS, ids=lambda v: v if isinstance(v, str) else "")
def test_a_right_begins_with_its_role(api: Any, method: str, path: str, body: Any, least: str | None) -> None:
    for who in WHO:
        answer = ask(api, who, method, path, body)
        if WHO.index(who) >= WHO.index(least):
            assert answer.status_code < 400 or "already contains" in answer.text or "no token" in answer.text, (
                answer.text
            )
        else:
            assert answer.status_code == (401 if who is None else 403), (who, answer.text)
            assert f"role {least}" in answer.json()["detail"]


def test_what_is_refused_is_not_done(api: Any) -> None:
    done.clear()
    body = {"city": CITY, "device": "air-71", "like": "air_reference-01"}
    for who in (None, "read", "reporter"):
        ask(api, who, "POST", "/v1/admin/devices", body)
    assert done == []
    assert ask(api, "operator", "POST", "/v1/admin/devices", body).json() == {"text": "registered"}
    assert len(done) == 1


# A plan with sessions is too long for an address; it is calculated and nothing of it is stored.
READS = ("/v1/cities/{city}/plan/scenario", "/v1/cities/{city}/plan/charging")


def test_every_path_that_is_not_read_needs_a_role(api: Any) -> None:
    """Whatever routes there are: nothing but reading is open to viewers."""
    client, _, _ = api
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            if method not in ("get", "head") and path not in READS:
                assert needed(method.upper(), path) != "viewer", (method, path)
                assert client.request(method, path.replace("{city}", CITY).replace("{name}", "x")).status_code == 401


def test_a_token_is_valid_when_it_is_made_and_refused_when_it_is_deleted(api: Any) -> None:
    client, _, path = api
    made = ask(api, "admin", "POST", "/v1/admin/tokens", {"name": "guest", "scopes": ["reporter"]}).json()["token"]
    assert made not in path.read_text()
    headers = {"Authorization": f"Bearer {made}"}
    assert client.get("/v1/me", headers=headers).json()["role"] == "reporter"
    ask(api, "admin", "DELETE", "/v1/admin/tokens/guest", None)
    assert client.get("/v1/me", headers=headers).json()["role"] == "viewer"
    assert "guest" not in {name for name, _ in read_tokens(path).values()}
    assert path.stat().st_mode & 0o077 == 0


def test_a_figure_of_a_reporter_is_checked_and_stored(api: Any) -> None:
    path = f"/v1/cities/{CITY}/report/figures"
    assert ask(api, "reporter", "POST", path, {"figures": [FIGURE | {"value": "4.2"}]}).json()["figures"] == 1
    rows = ask(api, None, "GET", f"/v1/cities/{CITY}/kpis?period=2025&code=EC:P:IN:1C", None).json()
    assert [r["value"] for r in rows] == [4.2]
    wrong = ask(api, "reporter", "POST", path, {"figures": [FIGURE | {"quality": "perfect"}]})
    assert wrong.status_code == 422
    assert "is not a class of data quality" in wrong.json()["detail"]
    both = ask(api, "reporter", "POST", path, {"figures": [FIGURE], "csv": "x"})
    assert "give one of figures, csv and xlsx" in both.json()["detail"]


def test_a_draft_is_submitted_and_verified_by_somebody_else(api: Any) -> None:
    base = f"/v1/cities/{CITY}/report"
    draft = FIGURE | {"code": "EC:P:IN:2C", "value": "12", "year": 2024}
    this = {"year": 2024, "figures": [{"code": draft["code"]}]}

    def state(who: str) -> tuple[str, str, float | None]:
        found = ask(api, who, "GET", f"{base}/states?year=2024", None).json()["states"]
        mine = next(s for s in found if s["code"] == draft["code"])
        return mine["state"], mine["who"], mine["figure"] and mine["figure"]["value"]

    assert (
        ask(api, "operator", "POST", f"{base}/figures", {"figures": [draft], "state": "draft"}).json()["changed"] == 1
    )
    assert state("reporter") == ("draft", "the-operator", None)
    assert ask(api, None, "GET", f"/v1/cities/{CITY}/kpis?period=2024&code=EC:P:IN:2C", None).json() == []
    assert ask(api, "reporter", "POST", f"{base}/withdraw", this).json()["changed"] == 1
    assert ask(api, "reporter", "POST", f"{base}/submit", {"year": 2024}).status_code == 422
    ask(api, "operator", "POST", f"{base}/figures", {"figures": [draft], "state": "draft"})
    assert ask(api, "operator", "POST", f"{base}/submit", {"year": 2024}).json()["changed"] == 1
    assert state("reporter") == ("submitted", "the-operator", 12.0)
    own = ask(api, "operator", "POST", f"{base}/verify", this)
    assert (own.status_code, "another person verifies it" in own.json()["detail"]) == (422, True)
    assert ask(api, "admin", "POST", f"{base}/verify", this).json()["changed"] == 1
    assert state("reporter") == ("verified", "the-admin", 12.0)


def test_a_check_stores_nothing(api: Any) -> None:
    path = f"/v1/cities/{CITY}/report/figures"
    figure = FIGURE | {"code": "EC:P:EM:1C", "value": "4"}
    assert ask(api, "reporter", "POST", path, {"figures": [figure], "state": "check"}).json()["changed"] == 0
    wrong = ask(api, "reporter", "POST", path, {"figures": [figure | {"value": "140"}], "state": "check"})
    assert "140 is above 100" in wrong.json()["detail"]
    assert ask(api, None, "GET", f"/v1/cities/{CITY}/kpis?period=2025&code=EC:P:EM:1C", None).json() == []


def test_a_form_that_was_filled_in_a_spreadsheet_program_is_stored(api: Any) -> None:
    """Downloaded, one cell changed, loaded; the next download has the value."""
    form = f"/v1/cities/{CITY}/report/form?year=2025&format=xlsx"
    ask(api, "reporter", "POST", f"/v1/cities/{CITY}/report/figures", {"figures": [FIGURE]})

    def downloaded() -> tuple[Any, Any, int]:
        book = openpyxl.load_workbook(io.BytesIO(ask(api, "reporter", "GET", form, None).content))
        sheet = book["Figures"]
        return book, sheet, next(r for r in range(2, 120) if sheet[f"A{r}"].value == FIGURE["code"])

    book, sheet, row = downloaded()
    sheet[f"J{row}"] = 7.25
    out = io.BytesIO()
    book.save(out)
    body = {"xlsx": base64.b64encode(out.getvalue()).decode()}
    done = ask(api, "reporter", "POST", f"/v1/cities/{CITY}/report/figures", body)
    assert done.json()["figures"] == 1, done.text
    assert downloaded()[1][f"J{row}"].value == 7.25
    wrong = ask(api, "reporter", "POST", f"/v1/cities/{CITY}/report/figures", {"xlsx": "UEsDBA=="})
    assert (wrong.status_code, "is not a workbook" in wrong.json()["detail"]) == (422, True)
    wrong = ask(api, "reporter", "POST", f"/v1/cities/{CITY}/report/figures", {"xlsx": "a workbook"})
    assert (wrong.status_code, "is not base64" in wrong.json()["detail"]) == (422, True)


def test_roles_include_the_ones_before() -> None:
    assert [role_of({"read"}), role_of({"admin", "read"}), role_of({"reporter"})] == ["viewer", "admin", "reporter"]
    table = [[suffices(role, wanted) for wanted in ROLES] for role in ROLES]
    assert table == [[True] * (i + 1) + [False] * (3 - i) for i in range(4)]
