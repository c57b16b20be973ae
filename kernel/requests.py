"""One answer per request id: outcomes kept with what they did, in one transaction.

A request is known by its caller, its operation and the id that the caller chose. A repeat with
the same input gets the first outcome; one with another input is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from kernel.clock import from_micros, to_micros
from kernel.refusals import Refusal, RequestIdReused, RequestInProgress, refusal_from_json
from kernel.statements import Prepared, run

REQUEST_ID_MAX = 128
CLAIM_LEASE = timedelta(seconds=60)
"""Longer than a process works on one request; clocks of machines differ by much less."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Names one request.

    Attributes:
        caller: `Caller.key`.
        operation: name of the mutation.
        request_id: chosen by the client.
        body_hash: `hash_of` the input without the request id.
    """

    caller: str
    operation: str
    request_id: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a request: JSON of a success, or of a refusal."""

    outcome: dict[str, Any]
    replayed: bool

    def success(self) -> dict[str, Any]:
        """The outcome when it is a success.

        Raises:
            Refusal: the request was refused.
        """
        if "refusal" in self.outcome:
            raise refusal_from_json(self.outcome)
        return self.outcome


def hash_of(body: object) -> str:
    """SHA-256 of a JSON value, in hexadecimal; the order of keys does not matter."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def request_table(metadata: MetaData) -> Table:
    """The table of one database that keeps its requests."""
    return Table(
        "request",
        metadata,
        Column("caller", Text, primary_key=True),
        Column("operation", Text, primary_key=True),
        Column("request_id", Text, primary_key=True),
        Column("body_hash", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("outcome", Text, nullable=True),
        Column("created_at", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


class RequestLog:
    """The requests of one database. The caller owns the transaction."""

    def __init__(self, table: Table) -> None:
        columns = table.c
        is_key = (
            columns.caller == bindparam("key_caller"),
            columns.operation == bindparam("key_operation"),
            columns.request_id == bindparam("key_request_id"),
        )
        own = update(table).where(*is_key).values(owner=bindparam("new_owner"))
        self._select = Prepared(
            select(columns.body_hash, columns.outcome, columns.owner, columns.created_at).where(
                *is_key
            )
        )
        named = ", ".join(column.name for column in columns)
        given = ", ".join(f":{column.name}" for column in columns)
        self._insert_row = Prepared(insert(table))
        self._claim_row = Prepared(
            f"INSERT INTO {table.name} ({named}) VALUES ({given}) ON CONFLICT DO NOTHING"
        )
        self._own = Prepared(own.values(created_at=bindparam("claimed_at")))
        self._let_go = Prepared(
            own.where(columns.outcome.is_(None), columns.owner == bindparam("owner_was"))
        )
        self._settle = Prepared(
            own.where(columns.outcome.is_(None)).values(outcome=bindparam("new_outcome"))
        )

    def answer_once(
        self,
        connection: Connection,
        key: RequestKey,
        *,
        now: datetime,
        work: Callable[[], dict[str, Any]],
    ) -> Answer:
        """The outcome of `work`, or of the first request with this key.

        A refusal of `work` undoes what it wrote and becomes the outcome. A retryable refusal is
        raised, and nothing is kept.

        Raises:
            RequestIdReused: the id was used with another input.
            RequestInProgress: the first request is not answered yet.
            Refusal: `work` refused, and a later try may be answered otherwise.
        """
        stored = self.find(connection, key)
        if stored is not None:
            return stored
        run(connection, "SAVEPOINT answer")
        try:
            outcome = work()
        except Refusal as refusal:
            run(connection, "ROLLBACK TO answer")
            run(connection, "RELEASE answer")
            if refusal.retryable:
                raise
            outcome = refusal.as_json()
        else:
            run(connection, "RELEASE answer")
        connection.execute(self._insert_row, _row(key, owner="", outcome=outcome, now=now))
        return Answer(outcome, replayed=False)

    def find(self, connection: Connection, key: RequestKey) -> Answer | None:
        """The kept outcome; None when this key was never used.

        Raises:
            RequestIdReused: the id was used with another input.
            RequestInProgress: the first request is not answered yet.
        """
        row = connection.execute(self._select, _values(key)).one_or_none()
        if row is None:
            return None
        if row.body_hash != key.body_hash:
            raise RequestIdReused
        if row.outcome is None:
            raise RequestInProgress
        return Answer(orjson.loads(row.outcome), replayed=True)

    def claim(
        self, connection: Connection, key: RequestKey, *, now: datetime, owner: str
    ) -> Answer | None:
        """The kept outcome; None when `owner` shall do the work and `settle` it.

        A claim that was never settled is taken over when nobody works on it: it is the owner's
        own, which knows what it does, or its process is gone. On SQLite every other process is
        gone; on PostgreSQL one is when its claim is older than `CLAIM_LEASE`.

        Args:
            owner: names the running process, which works on a request only once at a time.

        Raises:
            RequestIdReused: the id was used with another input.
            RequestInProgress: another process works on it.
        """
        claimed = connection.execute(self._claim_row, _row(key, owner=owner, outcome=None, now=now))
        if claimed.rowcount == 1:
            return None
        row = connection.execute(self._select, _values(key)).one()
        if row.body_hash != key.body_hash:
            raise RequestIdReused
        if row.outcome is not None:
            return Answer(orjson.loads(row.outcome), replayed=True)
        is_alone = connection.dialect.name == "sqlite" or row.owner in ("", owner)
        if not is_alone and now < from_micros(row.created_at) + CLAIM_LEASE:
            raise RequestInProgress
        connection.execute(
            self._own, {**_values(key), "new_owner": owner, "claimed_at": to_micros(now)}
        )
        return None

    def settle(self, connection: Connection, key: RequestKey, outcome: dict[str, Any]) -> None:
        """Keeps the outcome of a claimed request; one that is kept already stays.

        A process that was thought gone may settle what another has taken over and answered.
        """
        kept = orjson.dumps(outcome).decode()
        connection.execute(self._settle, {**_values(key), "new_owner": "", "new_outcome": kept})

    def let_go(self, connection: Connection, key: RequestKey, *, owner: str) -> None:
        """Lets other processes go on with what `owner` claimed and no longer works on."""
        connection.execute(self._let_go, {**_values(key), "new_owner": "", "owner_was": owner})


def _row(
    key: RequestKey, *, owner: str, outcome: dict[str, Any] | None, now: datetime
) -> dict[str, Any]:
    return {
        "caller": key.caller,
        "operation": key.operation,
        "request_id": key.request_id,
        "body_hash": key.body_hash,
        "owner": owner,
        "outcome": None if outcome is None else orjson.dumps(outcome).decode(),
        "created_at": to_micros(now),
    }


def _values(key: RequestKey) -> dict[str, str]:
    return {
        "key_caller": key.caller,
        "key_operation": key.operation,
        "key_request_id": key.request_id,
    }
