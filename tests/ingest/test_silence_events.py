"""Events of silent devices survive a store that fails while they are written."""

from __future__ import annotations

from ingest.events import Silences
from tests.ingest.samples import NOW, city


def test_a_device_whose_silence_was_never_noted_may_come_back() -> None:
    silences = Silences(city())
    assert silences.note([], ["m1"], {"m1": NOW}, NOW) == []


def test_what_is_remembered_does_not_depend_on_the_events_being_written() -> None:
    silences = Silences(city())
    silences.note(["m1"], [], {"m1": NOW - 60_000}, NOW)  # nobody takes the events: the store is away
    [event] = silences.note([], ["m1"], {"m1": NOW}, NOW)
    assert "m1 was silent" in str(event)
    assert silences.note([], ["m1"], {"m1": NOW}, NOW) == []
