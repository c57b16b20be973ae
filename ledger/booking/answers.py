"""What the ledger has answered: each request once, by its operation and key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import orjson

from kernel.refusals import Refusal, refusal_from_json
from kernel.values import value
from ledger.contract import (
    CardForfeited,
    CardsMerged,
    CardsUnmerged,
    CoinsReceipt,
    FundsHeld,
    FundsReleased,
    KeyReused,
    OrderReceipt,
    RefundReceipt,
)
from ledger.stores.loading import ANSWERED
from ledger.stores.port import Port, Row

Receipt: TypeAlias = (
    FundsHeld
    | FundsReleased
    | OrderReceipt
    | RefundReceipt
    | CoinsReceipt
    | CardsMerged
    | CardsUnmerged
    | CardForfeited
)
RECEIPTS: dict[str, type[Any]] = {
    "hold": FundsHeld,
    "release": FundsReleased,
    "order": OrderReceipt,
    "refund": RefundReceipt,
    "grant": CoinsReceipt,
    "merge": CardsMerged,
    "unmerge": CardsUnmerged,
    "forfeit": CardForfeited,
}
"""What each operation answers, when it does not refuse."""


@value
class Answer:
    """What a request was answered.

    Attributes:
        body_hash: of the request's body.
    """

    body_hash: str
    outcome: Receipt | Refusal

    def again(self, operation: str, key: str, body_hash: str) -> Receipt | Refusal | KeyReused:
        """What a repeat of the request gets."""
        if body_hash != self.body_hash:
            return KeyReused(f"{operation} {key} came with another body")
        if isinstance(self.outcome, Refusal):
            return self.outcome
        return replace(self.outcome, replayed=True)


class Answers:
    """The answers of one lane, during a batch."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._known: dict[tuple[str, str], Answer | None] = {}

    def of(self, operation: str, key: str) -> Answer | None:
        """What the request was answered; None when it is new."""
        if (operation, key) not in self._known:
            self.read(operation, [key])
        return self._known[operation, key]

    def put(self, operation: str, key: str, answer: Answer) -> None:
        """Remembers an answer."""
        self._known[operation, key] = answer

    def read(self, operation: str, keys: Sequence[str]) -> None:
        """Reads answers that are not known yet."""
        for key in keys:
            self._known[operation, key] = None
        for key, body_hash, receipt in self._port.rows(ANSWERED[operation], keys):
            outcome = _outcome_of(operation, receipt)
            self._known[operation, key] = Answer(body_hash, outcome)


def request_row(operation: str, key: str, answer: Answer, seq: int | None, now: int) -> Row:
    """The row that keeps an answer."""
    if isinstance(answer.outcome, Refusal):
        name, receipt = "REFUSED", orjson.dumps(answer.outcome.as_json())
    else:
        name, receipt = ("NOOP" if seq is None else "OK"), orjson.dumps(answer.outcome)
    return operation, key, answer.body_hash, name, seq, receipt.decode(), now


def _outcome_of(operation: str, receipt: str) -> Receipt | Refusal:
    stored = orjson.loads(receipt)
    if "refusal" in stored:
        return refusal_from_json(stored)
    outcome: Receipt = RECEIPTS[operation](**stored)
    return outcome
