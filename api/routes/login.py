"""/v1/login: sign in with the city's identity provider, and out. The browser holds a key in a cookie.

The cookie is sent by this site's pages alone (SameSite=Strict) and cannot be read by scripts. These addresses are for
browsers and not in the description of the API.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Cookie, Request
from starlette.responses import RedirectResponse, Response

from api.login.people import NoRole, People
from api.problems import NotFound, responses
from api.state import StateOf
from telemetry.errors import CityVitalsError, Unavailable

router = APIRouter(prefix="/v1", tags=["Operation"], responses=responses(404, 503))

BEGUN, HERE = "cityvitals_login", "cityvitals_session"
_PAGE = "/admin"


def _people(state: StateOf) -> People:
    if state.people is None:
        raise NotFound("This server has no identity provider; name one under [api.login].")
    return state.people


@router.get("/login", include_in_schema=False)
def login(state: StateOf) -> Response:
    """Go to the identity provider."""
    people = _people(state)
    url, key = people.begin()
    answer = RedirectResponse(url, 303)
    # Lax: the provider sends the browser back from another site.
    answer.set_cookie(BEGUN, key, max_age=600, httponly=True, secure=people.secure, samesite="lax", path="/v1/login")
    return answer


@router.get("/login/done", include_in_schema=False)
def login_done(state: StateOf, request: Request, cityvitals_login: Annotated[str, Cookie()] = "") -> Response:
    """Return from the identity provider; the page shows whether signing in succeeded."""
    people = _people(state)
    try:
        key = people.finish(cityvitals_login, dict(request.query_params))
    except CityVitalsError as error:
        why = "away" if isinstance(error, Unavailable) else "no_role" if isinstance(error, NoRole) else "refused"
        answer = RedirectResponse(f"{_PAGE}?login={why}", 303)
    else:
        answer = RedirectResponse(_PAGE, 303)
        age = round(3600 * people.hours)
        answer.set_cookie(HERE, key, max_age=age, httponly=True, secure=people.secure, samesite="strict", path="/")
    answer.delete_cookie(BEGUN, path="/v1/login")
    return answer


@router.post("/logout", include_in_schema=False)
def logout(state: StateOf, cityvitals_session: Annotated[str, Cookie()] = "") -> Response:
    """Sign out."""
    _people(state).leave(cityvitals_session)
    answer = Response(status_code=204)
    answer.delete_cookie(HERE, path="/")
    return answer
