"""The one ASGI application: the gate's few paths, and Django for everything else, on one port.

The web role (config/front.py) takes the gate's calls a shorter way; with any other ASGI server this is all there is.
"""

import os
import sys
import warnings
from typing import Any

from config import embedded_postgres

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    database_url = embedded_postgres.database_url()
except embedded_postgres.PostgresCannotStart as problem:
    sys.exit(str(problem))

# WhiteNoise hands over files as plain iterators: small ones, which Django reads in a thread as it says it will.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

from django.core.asgi import get_asgi_application  # noqa: E402 - after the filter and the database are there

django = get_asgi_application()

from config import celery  # noqa: E402, F401 - tasks are sent from here, to the configured broker
from entitlements.gate.app import Gate  # noqa: E402 - after Django's apps are ready

gate = Gate(database_url)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Route by path. Unknown paths, health and documentation are Django's."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and gate.serves(scope["path"]):
        await gate(scope, receive, send)
    else:
        await django(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await gate.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await gate.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
