"""Processes forked from one that has imported the product: such a process costs a third of a fresh one."""

import multiprocessing

WARM = (
    "tests.forks", "pytest", "alembic.command", "aiosqlite", "psycopg", "anyio._backends._asyncio", "httpcore",
    "stripe._stripe_client", "stripe.checkout._session_service", "stripe._webhook_endpoint_service",
    "stripe._refund_service", "stripe._payment_intent_service", "stripe._invoice_payment_service",
    "stripe._object_classes", "stripe.v2._list_object", "uvicorn.lifespan.on", "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto", "backend.server", "backend.cli.doctor", "backend.cli.events",
    "backend.cli.integrations", "backend.cli.keys", "backend.cli.payments", "backend.cli.shadow", "backend.cli.start",
    "backend.cli.widget", "tests.command_line", "tests.crash.rig.child", "tests.processes.child", "tests.frozen",
)  # fmt: skip
"""Everything that such processes import on their way."""

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([*WARM])
