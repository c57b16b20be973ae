"""What a server's metrics show of an open alliance, beside its requests."""

from __future__ import annotations

from gateway.assembly.data_directory import OpenAlliance
from gateway.http.metrics import Watched
from ledger.outbox.delivery import Delivery


def watched_events(opened: OpenAlliance) -> Watched:
    """What the sweepers could not book."""
    return Watched(
        "alliance_parked_events",
        "Sales and refunds that could not be booked and wait for an operator.",
        lambda: opened.alliance.sweepers.parked_events,
    )


def watched_writes(opened: OpenAlliance) -> tuple[Watched, ...]:
    """How the ledger's writes go."""
    writer = opened.ledger.writer
    return (
        Watched(
            "alliance_ledger_waiting",
            "Writes that wait for the ledger.",
            lambda: writer.waiting,
        ),
        Watched(
            "alliance_ledger_isolated_batches",
            "Batches that the books objected to, and that were run one by one.",
            lambda: writer.batches_isolated,
            is_count=True,
        ),
        Watched(
            "alliance_ledger_commits_in_doubt",
            "Commits of the ledger of which only the books could tell what became of them.",
            lambda: writer.commits_in_doubt,
            is_count=True,
        ),
    )


def watched_messages(delivery: Delivery) -> tuple[Watched, ...]:
    """What waits for the receiver of messages."""
    return (
        Watched(
            "alliance_waiting_messages",
            "Messages that the webhook has not taken yet; they are made a thousand ahead.",
            lambda: delivery.waiting,
        ),
        Watched(
            "alliance_parked_messages",
            "Messages that the webhook rejected too often; they wait for an operator.",
            lambda: delivery.parked,
        ),
        Watched(
            "alliance_oldest_message_seconds",
            "How long the oldest message that the webhook has not taken has waited.",
            lambda: delivery.oldest_seconds,
        ),
    )
