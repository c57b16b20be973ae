"""Secrets that every gateway of one alliance shares. The caller owns the transaction."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select

from gateway.alliance.tables import SECRET

SECRET_BYTES = 32


def read_or_make_secret(connection: Connection, name: str) -> bytes:
    """The secret of this name; a random one is kept when there was none."""
    found = connection.execute(select(SECRET.c.value).where(SECRET.c.name == name)).scalar()
    if found is not None:
        return bytes(found)
    made = secrets.token_bytes(SECRET_BYTES)
    connection.execute(insert(SECRET).values(name=name, value=made))
    return made
