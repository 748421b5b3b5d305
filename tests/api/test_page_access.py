"""The live page can be used by everybody: keyboard, contrast, charts as tables; in a real Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.api.pages import shown


def test_everything_can_be_reached_and_used_with_the_keyboard(browser: Any, url: str) -> None:
    with shown(browser, url) as view:
        view.keyboard.press("Tab")
        assert focused(view) == "Skip to the values"
        view.keyboard.press("Enter")
        assert view.evaluate("document.activeElement.id") == "main"
        reached = walk(view)
        for name in ("pollutant", "period", "Values as a table", "Details of Nitrogen dioxide, NO₂", "API description"):
            assert any(name in text for text in reached), (name, reached)
        assert all(visible for visible in reached.values())


def focused(view: Any) -> str:
    return str(view.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))


def walk(view: Any) -> dict[str, bool]:
    """What Tab reaches from here to the end of the page, and whether its focus can be seen."""
    ring = """() => {
        const focused = document.activeElement;
        const style = getComputedStyle(focused.type === "radio" ? focused.nextElementSibling : focused);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    }"""
    reached: dict[str, bool] = {}
    for _ in range(60):
        view.keyboard.press("Tab")
        if view.evaluate("document.activeElement === document.body"):
            break
        reached[focused(view)] = view.evaluate(ring)
    return reached


def test_the_period_is_chosen_with_arrow_keys_and_kept_in_the_address(browser: Any, url: str) -> None:
    with shown(browser, url) as view:
        view.locator('input[value="24h"]').focus()
        view.keyboard.press("ArrowRight")
        view.keyboard.press("ArrowRight")
        view.get_by_text("Newest month: 11 indicators").wait_for()
        assert view.url.endswith("?period=month")
        view.reload()
        view.get_by_text("Newest month: 11 indicators").wait_for()
        assert view.locator('input[value="month"]').is_checked()


def test_a_chart_is_also_a_table(browser: Any, url: str) -> None:
    with shown(browser, url) as view:
        view.locator("#energy summary").focus()
        view.keyboard.press("Enter")
        table = view.locator("#energy table")
        table.wait_for()
        assert table.locator("tbody tr").count() == 31
        assert table.locator("th").all_inner_texts() == ["Day", "kWh", "Covered", "Status"]
        assert "18 Jun 2026" in table.locator("tbody tr").first.inner_text()


def test_text_has_enough_contrast_in_both_schemes(browser: Any, url: str) -> None:
    for scheme in ("light", "dark"):
        with shown(browser, f"{url}/?period=365d", scheme=scheme) as view:
            poor = view.evaluate((Path(__file__).parent / "contrast.js").read_text())
            assert poor == [], scheme
