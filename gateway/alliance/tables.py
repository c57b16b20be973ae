"""The alliance database: one metadata that every room of the subgraph adds its tables to.

A room's tables stand beside its rules, in its own `tables.py`; `gateway.alliance.subgraph`
imports them all before it opens the database.
"""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text

from kernel.requests import RequestLog, request_table

METADATA = MetaData()

REQUEST = request_table(METADATA)
REQUESTS = RequestLog(REQUEST)

SECRET = Table(
    "secret",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
