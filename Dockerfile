# One image for the code location, the webserver, the daemon and the dashboard, as `docker-compose.yaml` starts them.
# The base image is pinned by the digest of its multi-architecture index. To find a newer one:
#   docker buildx imagetools inspect python:3.11-slim-bookworm
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/chicago-crime
ENV PATH=/opt/chicago-crime/bin:$PATH

# Dependencies change less often than our code, so they have a separate layer, without the libraries' tests.
COPY requirements.lock ./
RUN pip install --no-deps --require-hashes --requirement requirements.lock \
    && find /opt/chicago-crime/lib -type d -name tests -prune -exec rm -r {} +

COPY setup.py pyproject.toml README.md ./
COPY chicago_crime chicago_crime
COPY spark_jobs spark_jobs
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes setuptools pip

FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d

# The user's id is fixed, so that it can own folders of the host. It may write only to /data.
RUN groupadd --gid 10001 crime \
    && useradd --uid 10001 --gid crime --no-create-home --home-dir /tmp --shell /usr/sbin/nologin crime \
    && install --directory --owner crime --group crime /data \
    && pip uninstall --yes --root-user-action=ignore setuptools wheel pip

LABEL org.opencontainers.image.title=chicago-crime
COPY --from=build /opt/chicago-crime /opt/chicago-crime
COPY deploy/dagster.yaml deploy/workspace.yaml /opt/dagster/
ENV PATH=/opt/chicago-crime/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DAGSTER_HOME=/opt/dagster \
    CHICAGO_CRIME_DAGSTER_HOME=/opt/dagster \
    CHICAGO_CRIME_DATA_DIR=/data

USER 10001:10001
WORKDIR /opt/dagster
VOLUME /data
# The code location, the webserver and the dashboard.
EXPOSE 4000 3000 8050
CMD ["chicago-crime", "--help"]
