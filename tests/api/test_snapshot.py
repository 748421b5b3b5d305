"""/v1/cities/{city}/snapshot.svg."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.api.city import CITY

PATH = f"/v1/cities/{CITY}/snapshot.svg"


def test_the_snapshot_is_of_the_newest_year_and_says_so(client: httpx.Client) -> None:
    answer = client.get(PATH)
    assert answer.headers["content-type"] == "image/svg+xml"
    root = ET.fromstring(answer.text)
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "Lindhaven, 2026: city snapshot"


def test_a_period_may_be_asked_for(client: httpx.Client) -> None:
    assert "Lindhaven, 2025-Q3: city snapshot" in client.get(PATH, params={"period": "2025-Q3"}).text


@pytest.mark.parametrize("period", ["365d", "24h", "soon"])
def test_a_snapshot_is_of_a_calendar_period(client: httpx.Client, period: str) -> None:
    assert client.get(PATH, params={"period": period}).status_code == 422
