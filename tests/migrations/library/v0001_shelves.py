"""Shelves with books."""

import sqlalchemy as sa
from alembic import op

revision = "library_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "shelf",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.CheckConstraint("id > 0", name="shelf_id"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_table(
        "book",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shelf_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["shelf_id"], ["shelf.id"], name="book_shelf"),
        sa.PrimaryKeyConstraint("id"),
    )
