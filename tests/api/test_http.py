"""What holds for every answer: errors, tags, compression, security headers, the description."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from api.assets.page_libraries import CHARTS, MAPS, Library, files_of
from api.problems import RETRY_AFTER_S
from registry.extras import install_command
from telemetry.errors import CityVitalsError
from tests.api.city import CITY
from tests.api.stores import shaky

JSON_PATHS = ["/v1/cities", f"/v1/cities/{CITY}", f"/v1/cities/{CITY}/kpis", "/v1/catalogue", "/healthz"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/static/nothing.js", 404), ("POST", "/v1/cities", 405), ("PUT", "/", 405)],
)
def test_every_error_is_a_problem(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"], body["instance"]) == ("about:blank", status, path)
    assert body["title"]
    assert body["detail"].endswith(".")


def test_a_wrong_method_says_which_is_right(client: httpx.Client) -> None:
    assert client.delete("/v1/cities").headers["allow"] == "GET"


@pytest.mark.parametrize("path", JSON_PATHS)
def test_what_has_not_changed_is_not_sent_again(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(path, headers={"If-None-Match": '"other", W/"another"'}).status_code == 200


def test_another_query_has_another_tag(client: httpx.Client) -> None:
    tags = {client.get(f"/v1/cities/{CITY}/kpis?period={p}").headers["etag"] for p in ("2025", "2026")}
    assert len(tags) == 2


def test_long_answers_are_compressed_for_who_can_read_it(client: httpx.Client) -> None:
    assert client.get("/v1/catalogue").headers["content-encoding"] == "gzip"
    plain = client.get("/v1/catalogue", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "path", ["/", "/c/lindhaven", "/vendor/uplot.iife.min.js", "/v1/cities", "/nothing", "/metrics"]
)
def test_every_answer_has_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


def test_a_store_that_is_away_is_a_503_with_the_time_to_try_again(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = shaky(tmp_path)
    url = serving(store)
    store.away = True
    for path in ["/v1/cities", f"/v1/cities/{CITY}/kpis", f"/v1/live?city={CITY}", "/readyz"]:
        answer = httpx.get(url + path)
        assert answer.status_code == 503, path
        assert answer.headers["retry-after"] == str(RETRY_AFTER_S)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "unplugged" in answer.json()["detail"]
    assert httpx.get(f"{url}/healthz").status_code == 200
    assert httpx.get(f"{url}/v1/catalogue").status_code == 200
    store.away = False
    assert httpx.get(f"{url}/readyz").json() == {"status": "ready"}


def test_a_fault_of_ours_is_a_problem_too_and_shows_no_secrets(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = shaky(tmp_path)
    url = serving(store)
    store.cities = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    answer = httpx.get(f"{url}/v1/cities")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "division" not in answer.text


def test_the_description_names_every_route_its_answers_and_its_errors(client: httpx.Client) -> None:
    description = client.get("/openapi.json").json()
    assert set(description["paths"]) == {
        "/v1/cities", "/v1/cities/{city}", "/v1/cities/{city}/kpis", "/v1/cities/{city}/kpis/{code}/series",
        "/v1/compare", "/v1/me", "/v1/admin/rejects", "/v1/admin/rejects/replay", "/v1/admin/devices",
            "/v1/admin/rejects/send", "/v1/admin/ledger",
        "/v1/admin/health", "/v1/admin/tokens", "/v1/admin/tokens/{name}", "/v1/cities/{city}/report/form",
        "/v1/cities/{city}/report/figures", "/v1/cities/{city}/report/states", "/v1/cities/{city}/report/submit",
        "/v1/cities/{city}/report/verify", "/v1/cities/{city}/report/withdraw",
        "/v1/cities/{city}/plan/charging", "/v1/cities/{city}/plan/peak", "/v1/cities/{city}/plan/scenario",
        "/v1/cities/{city}/plan/transforms", "/v1/cities/{city}/plan/forecast", "/v1/cities/{city}/plan/measure/effect",
        "/v1/cities/{city}/plan/sessions",
        "/v1/cities/{city}/plan/measure/change", "/v1/cities/{city}/plan/measure/savings",
        "/v1/cities/{city}/kpis/{code}/explain",
        "/v1/cities/{city}/indicators", "/v1/cities/{city}/devices", "/v1/cities/{city}/devices/{device}",
        "/v1/cities/{city}/devices/{device}/hours", "/v1/cities/{city}/hours", "/v1/cities/{city}/areas",
        "/v1/cities/{city}/unregistered", "/v1/cities/{city}/now", "/v1/cities/{city}/kpis/{code}/about",
        "/v1/cities/{city}/kpis/{code}/limits",
        "/v1/cities/{city}/goals", "/v1/cities/{city}/sdg", "/v1/cities/{city}/snapshot.svg",
        "/v1/cities/{city}/sub-dimensions.svg", "/v1/region/profile", "/v1/region/heat-map", "/v1/region/peers",
        "/v1/region/twins", "/v1/region/index", "/v1/catalogue", "/v1/index/kpis", "/v1/index/catalogue", "/v1/live",
        "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        for status, answer in operation["responses"].items():
            kinds = set(answer["content"])
            assert kinds == {"application/problem+json"} if status >= "400" else kinds, operation["operationId"]
            assert all("schema" in content for content in answer["content"].values())
    assert "Problem" in description["components"]["schemas"]


@pytest.mark.parametrize("path", ["/", *JSON_PATHS, "/c/lindhaven", "/metrics"])
def test_head_gives_the_headers_of_get_without_the_body(client: httpx.Client, path: str) -> None:
    plain = {"Accept-Encoding": "identity"}
    head, get = client.head(path, headers=plain), client.get(path, headers=plain)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers.get("etag") == get.headers.get("etag")


def test_the_stream_has_no_head(client: httpx.Client) -> None:
    assert client.head(f"/v1/live?city={CITY}").status_code == 405


@pytest.mark.parametrize("library", [CHARTS, MAPS], ids=lambda library: library.package)
def test_a_missing_library_of_the_page_is_reported_at_the_start(
    monkeypatch: pytest.MonkeyPatch, library: Library
) -> None:
    monkeypatch.setattr("api.assets.page_libraries.find_spec", lambda name: None)
    with pytest.raises(CityVitalsError, match=re.escape(install_command("central"))):
        files_of(library)


@pytest.mark.parametrize("library", [CHARTS, MAPS], ids=lambda library: library.package)
def test_other_files_under_the_name_of_a_library_are_not_served(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: Library
) -> None:
    folder = tmp_path / library.folder
    folder.mkdir(parents=True)
    for name, content in files_of(library).items():
        (folder / name).write_bytes(content)
    (folder / next(iter(library.files))).write_text("alert(1)")
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr("api.assets.page_libraries.find_spec", lambda name: spec)
    with pytest.raises(CityVitalsError, match=f"is not the file of {library.name}"):
        files_of(library)


def test_files_of_the_page_are_kept_for_good_and_named_by_their_content(client: httpx.Client) -> None:
    html = client.get("/").text
    names = re.findall(r'/static/[^"]+', html)
    assert len(names) >= 6
    for name in set(names):
        answer = client.get(name)
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/app-000000000000.js").status_code == 404


def test_only_a_chart_alone_may_stand_in_a_frame(client: httpx.Client) -> None:
    assert "frame-ancestors 'none'" in client.get("/").headers["content-security-policy"]
    framed = client.get(f"/embed/{CITY}/EN:EN:AQ:1C/no2")
    assert "frame-ancestors *" in framed.headers["content-security-policy"]
    assert "x-frame-options" not in framed.headers
