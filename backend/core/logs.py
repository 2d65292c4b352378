"""Logs: one line for each event, for people or for machines. Each logged field is named, so no secret is logged."""

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer


def set_up_logs(style: str, *, only_errors: bool = False) -> None:
    """Configure the logs. ``style``: ``console`` or ``json``. Other libraries' warnings use
    it, too; access logs are off."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if style == "json":
        end: list[structlog.typing.Processor] = [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),  # they hold secrets
            structlog.processors.JSONRenderer(),
        ]
    else:
        end = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    structlog.configure(
        processors=[*shared, *end],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if only_errors else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in ("httpx", "httpcore", "stripe", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
