"""One shape for every log line, ours and the libraries': JSON in production, coloured text at a terminal."""

import logging
import sys
from typing import Final, TextIO

import structlog
from structlog.typing import Processor

# Django's own line for each 4xx repeats the request line; what it logs at ERROR carries the traceback.
QUIETER: Final = {"django.request": logging.ERROR, "django.security.DisallowedHost": logging.CRITICAL}


class OurHandler(logging.StreamHandler[TextIO]):
    """Told from others' handlers (pytest's, a supervisor's), so that configuring twice does not log twice."""


def configure_logging(*, level: str, as_json: bool) -> None:
    """Send structlog and the standard library's logging through the same processors to stderr."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = OurHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(as_json)))
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, OurHandler)] + [handler]
    root.setLevel(level.upper())
    for name, quieter in QUIETER.items():
        logging.getLogger(name).setLevel(quieter)


def _rendering(as_json: bool) -> list[Processor]:
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_json:
        return [drop, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        drop,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback),
    ]
