"""A real InfluxDB 2 that runs already, where the environment names one.

CITYVITALS_TEST_INFLUXDB2 is its URL, with CITYVITALS_TEST_INFLUXDB2_ORG and _TOKEN of a user who may make buckets and
map them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from influxdb_client import InfluxDBClient

SECOND = "CITYVITALS_TEST_INFLUXDB2"


@contextmanager
def buckets(name: str, monkeypatch: pytest.MonkeyPatch, days: int = 0) -> Iterator[str]:
    """The URL of a new bucket, mapped to a database of its name; the token is in the environment.

    `days`: its retention, 0 for none; with one there is the bucket `<bucket>/forever` too, mapped as docs/how-to says.
    """
    base, org, token = (os.environ.get(SECOND + end, "") for end in ("", "_ORG", "_TOKEN"))
    monkeypatch.setenv("CITYVITALS__STORE__TOKEN", token)
    made = []
    with InfluxDBClient(base, token=token, org=org) as client:
        for policy, seconds in (("autogen", days * 86_400), ("forever", 0))[: 2 if days else 1]:
            # Without a retention the shards of docs/how-to; a loaded server does not make a shard for each day in time.
            shard = 86_400 if seconds else 2016 * 3600
            rules = [{"type": "expire", "everySeconds": seconds, "shardGroupDurationSeconds": shard}]
            bucket = client.buckets_api().create_bucket(
                bucket_name=name if policy == "autogen" else f"{name}/{policy}", org=org, retention_rules=rules
            )
            made.append(bucket)
            mapping = {"bucketID": bucket.id, "database": name, "retention_policy": policy, "org": org}
            client.api_client.call_api(
                "/api/v2/dbrps", "POST", body={**mapping, "default": policy == "autogen"},
                header_params={"Content-Type": "application/json"},
            )  # fmt: skip
        yield f"influxdb2{'s' * base.startswith('https')}://{base.rpartition('/')[2]}/{name}?org={org}"
        for bucket in made:
            client.buckets_api().delete_bucket(bucket)
