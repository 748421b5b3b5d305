"""What the page costs and bears: bytes, requests and time of a first view, many devices, odd names, no tiles.

Figures are printed; what is asserted does not depend on the speed of the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from tests.api.assets.tile_files import whole_world
from tests.api.city import CITY
from tests.api.conftest import running
from tests.browser import page
from tests.page.city import page_config
from tests.page.opened import DESKTOP, READY, VIEWS, heading, opened
from tests.processes import free_port

PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
# Frames of a map that is dragged: the longest in ms, and how many there were.
DRAG = """async () => {
  const times = [];
  let last = performance.now(), stop = false;
  const tick = (now) => { times.push(now - last); last = now; if (!stop) requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  const box = document.querySelector(".map-box").getBoundingClientRect();
  const at = (x) => ({ bubbles: true, clientX: box.x + 300 + x, clientY: box.y + 200, button: 0, buttons: 1 });
  const target = document.querySelector(".leaflet-map-pane");
  target.dispatchEvent(new MouseEvent("mousedown", at(0)));
  for (let i = 0; i < 30; i += 1) {
    target.dispatchEvent(new MouseEvent("mousemove", at(i * 6)));
    await new Promise(requestAnimationFrame);
  }
  target.dispatchEvent(new MouseEvent("mouseup", at(180)));
  stop = true;
  return { longest: Math.max(...times), frames: times.length };
}"""


def many(count: int) -> list[dict[str, Any]]:
    """So many low-cost stations on a grid."""
    return [
        {"id": f"air-{i:05}", "site": f"Street {i}", "kind": "air_lowcost", "quantities": ["pm2_5"],
         "lat": 59.0 + (i % 100) * 0.004, "lon": 18.0 + (i // 100) * 0.006}
        for i in range(count)
    ]  # fmt: skip


def with_devices(tmp_path: Path, devices: list[dict[str, Any]]) -> SqliteStore:
    store = SqliteStore(tmp_path / "many.db")
    store.put_city(CityRecord(CITY, {**page_config(), "device": devices}, 60_000))
    return store


def test_a_first_view_is_small_and_asks_little(browser: Any, url: str) -> None:
    for name, path in VIEWS.items():
        asked, kb, paint = cost(browser, url + path)
        print(f"{name} as the first view: {asked} requests, {kb:.0f} kB, first contentful paint {paint:.0f} ms")
        assert asked < 15, name
        assert kb < 300, name


def cost(browser: Any, address: str) -> tuple[int, float, float]:
    """Requests, kB on the wire and ms to the first content of a browser that has nothing of the page yet."""
    with page(browser, "about:blank", DESKTOP) as (view, _):
        session = view.context.new_cdp_session(view)
        session.send("Network.enable")
        got: dict[str, float] = {}
        session.on("Network.loadingFinished", lambda e: got.update({e["requestId"]: e["encodedDataLength"]}))
        asked: list[str] = []
        view.on("request", lambda r: asked.append(r.url))
        view.goto(address)
        view.wait_for_selector(READY)
        return len(asked), sum(got.values()) / 1000, view.evaluate(PAINT)


def test_a_thousand_and_ten_thousand_devices_are_on_the_map_and_in_the_list(
    browser: Any, tmp_path: Path, serving: Callable[..., str]
) -> None:
    for count in (1000, 10_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        url = serving(with_devices(folder, many(count)))
        with opened(browser, url + VIEWS["map"].replace("no2", "pm2_5")) as view:
            view.wait_for_selector("body[data-map]")
            found = view.evaluate(DRAG)
            marks = int(view.locator(".map-box").get_attribute("data-marks"))
            print(f"{count} devices: {marks} marks, longest frame of a drag {found['longest']:.0f} ms")
            assert 0 < marks <= 1000
            assert view.locator(".place").count() == 300
            view.goto(url + VIEWS["devices"])
            view.wait_for_selector(READY)
            words = f"{count:,} of {count:,} devices".replace(",", "\u202f")
            assert words in view.locator(".filters").inner_text()
            assert view.locator("tbody tr").count() == 200


def test_a_year_of_hours_is_a_curve_that_can_be_read_by_keyboard(browser: Any, url: str) -> None:
    with opened(browser, f"{url}/c/{CITY}/d/air_reference-01?quantity=no2&days=366") as view:
        view.wait_for_selector(".canvas canvas")
        view.locator(".plot.canvas").focus()
        took = view.evaluate(
            "() => { const t = performance.now(); for (let i = 0; i < 50; i += 1) document.activeElement.dispatchEvent("
            "new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true})); return (performance.now() - t) / 50; }"
        )
        print(f"year of hours: {took:.1f} ms a step of the cursor")
        assert "µg/m³" in view.locator(".readout").inner_text()


def test_names_are_text_whatever_is_in_them(browser: Any, tmp_path: Path, serving: Callable[..., str]) -> None:
    names = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "محطة الميناء", "Ω" * 200]
    devices = many(4)
    for device, name in zip(devices, names, strict=True):
        device["site"] = name
    url = serving(with_devices(tmp_path, devices))
    with opened(browser, url + VIEWS["devices"]) as view:
        view.on("dialog", lambda dialog: (_ for _ in ()).throw(AssertionError(dialog.message)))
        text = view.locator("tbody").inner_text()
        assert all(name in text for name in names)
        assert view.evaluate("document.documentElement.scrollWidth") <= DESKTOP[0]
        view.goto(f"{url}/c/{CITY}/map?place=air-00002")
        view.wait_for_selector("body[data-map]")
        assert names[2] in view.locator(".map-card").inner_text()


def test_a_city_without_positions_says_so_on_the_map(browser: Any, tmp_path: Path, serving: Any) -> None:
    devices = [{k: v for k, v in d.items() if k not in ("lat", "lon")} for d in many(3)]
    with opened(browser, serving(with_devices(tmp_path, devices)) + f"/c/{CITY}/map") as view:
        view.get_by_text("No place has a position.").wait_for()


def test_a_tile_server_that_is_away_leaves_the_places(browser: Any, store: SqliteStore) -> None:
    tiles = f"http://127.0.0.1:{free_port()}/{{z}}/{{x}}/{{y}}.png"
    with (
        running(store, tiles=tiles, tiles_attribution="© nobody") as url,
        opened(browser, url + VIEWS["map"], errors_expected=True) as view,
    ):
        view.get_by_text("The background of the map cannot be loaded.").wait_for()
        assert view.locator(".leaflet-marker-icon").count() > 3
        assert "© nobody" in view.locator(".attribution").inner_text()


def test_a_tile_file_of_the_city_is_drawn_under_the_places(browser: Any, store: SqliteStore, tmp_path: Path) -> None:
    tiles = whole_world(tmp_path / "city.pmtiles", 4)
    with running(store, tile_file=tiles) as url, opened(browser, url + VIEWS["map"]) as view:
        view.locator("img.leaflet-tile-loaded").first.wait_for()
        assert view.locator("img.leaflet-tile-loaded").first.evaluate("image => image.naturalWidth") == 1
        assert view.locator(".attribution").inner_text() == "© the city"  # the file's own, without its markup
        assert view.get_by_text("The background of the map cannot be loaded.").count() == 0


def test_the_wheel_moves_by_arrows_and_opens(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["indicators"]) as view:
        view.locator(".wheel").focus()
        view.keyboard.press("Home")
        first = view.locator(".hub").inner_text()
        view.keyboard.press("ArrowDown")
        assert view.locator(".hub").inner_text() != first
        view.keyboard.press("Enter")
        view.wait_for_url("**/k/**")
        view.wait_for_selector(".away")
        assert heading(view)


def test_a_language_is_chosen_kept_and_in_every_text(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["devices"] + "?lang=de") as view:
        assert "von 40 Geräten" in heading(view)
        view.get_by_label("Sprache").first.select_option("nb")
        view.get_by_role("heading", name="av 40 enheter").wait_for()
        assert view.locator("html").get_attribute("lang") == "nb"
        view.goto(url + VIEWS["plan"])
        view.wait_for_selector(READY)
        assert "ladepunkt" in heading(view)


def test_the_first_view_prints_on_paper(browser: Any, url: str, tmp_path: Path) -> None:
    with opened(browser, url + VIEWS["now"]) as view:
        view.emulate_media(media="print")
        assert view.locator(".top:visible, .segments:visible").count() == 0
        pages = view.pdf(path=tmp_path / "now.pdf", format="A4")
        count = pages.count(b"/Type /Page\n") + pages.count(b"/Type /Page ") + pages.count(b"/Type/Page/")
        print(f"now on paper: {len(pages) / 1000:.0f} kB, {count} pages")
        assert pages.startswith(b"%PDF")
        assert count == 1
