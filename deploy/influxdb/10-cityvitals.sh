#!/bin/bash
# Run once by the InfluxDB 2 image after its first set-up.
set -euo pipefail

# InfluxQL names a database and a retention policy; InfluxDB 2 has buckets. This says which is which,
# so that Grafana and CityVitals can ask /query for the database.
influx v1 dbrp create --db cityvitals --rp autogen --default --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID"

# Twelve weeks a shard, as in databases of InfluxDB 1: with the 7 days of its own a year of 5,000 series was written at
# a third of the speed. A bucket with a retention of its own keeps the shards that go with it; then KPI values, city
# files and rows of devices go into a bucket without one, since their times lie at the start of a year, or at 0.
forever=
if [ "${DOCKER_INFLUXDB_INIT_RETENTION:-0}" = 0 ]; then
    influx bucket update --id "$DOCKER_INFLUXDB_INIT_BUCKET_ID" --shard-group-duration 2016h
else
    forever=$(influx bucket create --name cityvitals/forever --retention 0 --shard-group-duration 2016h \
        --hide-headers | cut -f 1)
    influx v1 dbrp create --db cityvitals --rp forever --bucket-id "$forever"
fi

# Grafana reads and never writes: a user of its own that can do no more.
influx v1 auth create --username reader --password "$(cat /run/secrets/influx_reader_password)" \
    --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID" ${forever:+--read-bucket "$forever"}
