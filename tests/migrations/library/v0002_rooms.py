"""Rooms are named in capitals, and shelves have a width: the table is rebuilt on SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "library_0002"
down_revision = "library_0001"


def upgrade() -> None:
    op.execute("UPDATE shelf SET room = upper(room)")
    with op.batch_alter_table(
        "shelf", recreate="auto", table_kwargs={"sqlite_strict": True}
    ) as shelf:
        shelf.add_column(sa.Column("width", sa.Integer(), nullable=False, server_default="1"))
        shelf.create_check_constraint("shelf_width", "width > 0")
    with op.batch_alter_table("shelf", table_kwargs={"sqlite_strict": True}) as shelf:
        shelf.alter_column("width", server_default=None)
