"""A large answer is compressed in a thread of its own, and is the same as one that is not compressed."""

from __future__ import annotations

import asyncio
import threading
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Response

from adapters.sqlite.store import SqliteStore
from api.app import create_app
from api.settings import ApiSettings

LARGE = b"[" + b",".join(b'{"value":%d}' % (n * 7919 % 100_003) for n in range(100_000)) + b"]"


def test_a_large_answer_is_not_compressed_where_requests_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, threads, made = SqliteStore(tmp_path / "store.db"), list[int](), zlib.compressobj
    app = create_app(ApiSettings(port=0), store)
    app.add_api_route("/v1/large", lambda: Response(LARGE, media_type="application/json"))

    def noted(*arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return made(*arguments)

    monkeypatch.setattr(zlib, "compressobj", noted)

    async def ask() -> None:
        transport, path = httpx.ASGITransport(app), "/v1/large"
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            small = await client.get(path)
            plain = await client.get(path, headers={"accept-encoding": "identity"})
            assert small.headers["content-encoding"] == "gzip"
            assert "content-encoding" not in plain.headers
            assert (small.content, plain.content) == (LARGE, LARGE)
            assert small.headers["etag"] == plain.headers["etag"]
            assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) == len(LARGE)
            again = await client.get(path, headers={"if-none-match": small.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert (await client.head(path)).headers["content-length"] == small.headers["content-length"]

    asyncio.run(ask())
    store.close()
    assert threads
    assert threading.get_ident() not in threads
