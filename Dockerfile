# The product in a container: every command of it, as a user without rights, on a read-only file system.
# Built from the hash locks: nothing is resolved here, nothing is compiled, and nothing of the sandbox comes along.
#
#   docker build -t kommo-stripe .
#   docker build -t kommo-stripe:0.1.0 --build-arg VERSION=v0.1.0 --build-arg REVISION=$(git rev-parse HEAD) .
#
# tools/image runs these very steps in an empty folder, where there is no container engine.

ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /src
COPY requirements-build.lock ./
RUN python -m venv /build && /build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE manifest.json ./
COPY widget ./widget
COPY backend ./backend
# A tag that is not the version of what it stands at is a mistake.
ARG VERSION=
RUN test -z "${VERSION}" || grep -qx "version = \"${VERSION#v}\"" pyproject.toml
RUN /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation -w /wheels .
# requirements-otel.lock adds traces: --build-arg LOCK=requirements-otel.lock
ARG LOCK=requirements.lock
COPY ${LOCK} ./
RUN python -m venv --without-pip /opt/kommo-stripe
RUN /build/bin/pip --python /opt/kommo-stripe/bin/python install --no-cache-dir --require-hashes --only-binary :all: --no-deps -r ${LOCK}
RUN /build/bin/pip --python /opt/kommo-stripe/bin/python install --no-cache-dir --no-index --no-deps /wheels/*.whl

FROM python:${PYTHON}-slim-bookworm
RUN pip uninstall --yes --root-user-action=ignore pip setuptools wheel \
 && groupadd --gid 10001 kommo-stripe \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin kommo-stripe \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/kommo-stripe /opt/kommo-stripe
ENV PATH=/opt/kommo-stripe/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    DATABASE_URL=sqlite+aiosqlite:////data/kommo-stripe.db \
    STATE_DIR=/data \
    LOG_FORMAT=json
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz\", timeout=4)"]
ENTRYPOINT ["kommo-stripe"]
CMD ["serve"]
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.title="kommo-stripe" \
      org.opencontainers.image.description="Stripe payments in the Kommo deal card" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
