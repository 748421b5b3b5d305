"""The inputs that went wrong in the field, read at run time; each is a case of its kind."""

from __future__ import annotations

import json
from typing import Any

from tests.replay.recorded import need


def of_kinds(*kinds: str) -> list[Any]:
    """Cases of these kinds (the words before the colon), for `parametrize`; none where the data are not there."""
    path = need("field/cases.jsonl")
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [case for case in cases if case["kind"].split(":")[0] in kinds]


def named(*kinds: str) -> dict[str, dict[str, Any]]:
    """The cases by id."""
    return {case["id"]: case for case in of_kinds(*kinds)}
