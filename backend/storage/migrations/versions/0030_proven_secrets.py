"""Whether Kommo took an integration's secret; one that connected an account did prove itself"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

CONNECTED = "(SELECT MIN(connected_at) FROM account WHERE account.client_id = integration.client_id)"


def upgrade() -> None:
    with op.batch_alter_table("integration") as batch_op:
        for name in ("secret_at", "proven_at", "refused_at"):
            batch_op.add_column(sa.Column(name, sa.Double(), nullable=False, server_default="0"))
    op.execute(
        f"UPDATE integration SET secret_at = COALESCE({CONNECTED}, 0), proven_at = COALESCE({CONNECTED}, 0)"  # noqa: S608
    )
