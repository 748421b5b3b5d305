"""Every KPI in six states of its data: the page is current, and its cells keep what the states promise."""

from __future__ import annotations

from tools.kpi_states import PAGE, STATES, found, page

# Facts of the city file, which do not depend on data.
REGISTRY = {"EC:I:ES:3C", "EC:ICT:ES:3A", "EC:ICT:ES:2A", "EC:I:T:8A", "EC:ICT:ES:1C", "EC:ICT:WS:1C", "EC:ICT:WS:2A"}


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_states_differ_in_what_is_said() -> None:
    states = found()
    assert tuple(states) == STATES
    for (code, part), whole in states["whole"].items():
        v = {state: states[state][code, part] for state in STATES}
        assert v["future"].value is None
        assert v["future"].reason == "future"
        if code in REGISTRY:
            continue
        assert v["nothing"].value is None, code
        assert v["nothing"].reason in ("no_data", "low_coverage", "outside_log", "undefined"), code
        assert v["zero"].value is not None or v["zero"].reason in ("undefined", "low_coverage", "no_data"), code
        assert whole.value is not None or part == "without_major_events", code
    assert {v.value for (code, _), v in states["zero"].items() if code in ("EC:I:ES:1C", "LOCAL:EV:SESSIONS")} == {0.0}
    for code in ("LOCAL:E:METERED", "LOCAL:EV:ENERGY", "LOCAL:EV:AVAILABILITY", "EC:I:ES:1C"):
        assert states["part"][code, ""].status == "partial"
