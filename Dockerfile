# One image for every CityVitals process; the command says which one it is.
# By tag here; a release is built from a digest: `tools/pin-images` looks up those of today (docs/security.md).
ARG BASE=python:3.11-slim
FROM ${BASE} AS build
WORKDIR /source
# There is no git in the build context: docker build --build-arg VERSION=0.2.0
ARG VERSION=0.1.0
ENV SETUPTOOLS_SCM_PRETEND_VERSION_FOR_CITYVITALS=$VERSION
COPY . .
# Every library in the version and with the hashes of the lock file; then CityVitals itself.
RUN python -m venv /opt/cityvitals \
    && /opt/cityvitals/bin/pip install --no-cache-dir --require-hashes --requirement deploy/requirements.lock \
    && /opt/cityvitals/bin/pip install --no-cache-dir --no-deps . \
    && /opt/cityvitals/bin/pip check

FROM ${BASE}
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/cityvitals cityvitals
COPY --from=build /opt/cityvitals /opt/cityvitals
ENV PATH=/opt/cityvitals/bin:$PATH PYTHONUNBUFFERED=1
USER cityvitals
WORKDIR /var/lib/cityvitals
VOLUME /var/lib/cityvitals
# Gateway and ingest touch the file while they work (CITYVITALS_PULSE); commands that end and the API have no such file.
ENV CITYVITALS_PULSE=/tmp/pulse
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import os, time; p = os.environ['CITYVITALS_PULSE']; assert not os.path.exists(p) or time.time() - os.path.getmtime(p) < 60"]
ENTRYPOINT ["cityvitals"]
CMD ["--help"]
