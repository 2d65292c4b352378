"""Alembic's entry point: always on the caller's connection, inside that connection's transaction."""

from alembic import context
from sqlmodel import SQLModel

import backend.storage.models  # noqa: F401  (fills SQLModel.metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
    on_version_apply=context.config.attributes.get("step"),
)
context.run_migrations()
