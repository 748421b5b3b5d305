#!/bin/bash
# Run once by the InfluxDB 2 image after its first set-up.
set -euo pipefail

# InfluxQL names a database and a retention policy; InfluxDB 2 has buckets. This says which is which,
# so that Grafana and CityVitals can ask /query for the database.
influx v1 dbrp create --db cityvitals --rp autogen --default --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID"

# Grafana reads and never writes: a user of its own that can do no more.
influx v1 auth create --username reader --password "$(cat /run/secrets/influx_reader_password)" \
    --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID"
