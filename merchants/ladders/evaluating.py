"""Evaluates tiers as orders, tasks and refunds are booked, and when a tier's time is over.

Source: docs/rules/tiers.md, rules 9 to 12.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from merchants.keys_sql import Key
from merchants.ladders.evaluation import (
    Cause,
    Deed,
    Evaluation,
    Verdict,
    evaluate,
    figure_of,
    raised,
)
from merchants.ladders.figures_sql import read_figures
from merchants.ladders.held_sql import (
    HeldKey,
    KeptTier,
    insert_evaluation,
    read_due,
    read_held,
    write_held,
)
from merchants.ladders.history_sql import read_deeds
from merchants.ladders.ladders_sql import Figures, read_ladders
from merchants.ladders.months import first_month, month_of, month_start
from merchants.ladders.policies import TierPolicy
from merchants.ladders.policies_sql import NO_POLICY, read_policies, read_rules
from merchants.ladders.tiers import Ladder, TierMetric, TierWindow

DUE_MAX = 200


class VoidTierCoupons(Protocol):
    """Voids the unused coupons that a card has for a tier it lost; within the transaction."""

    def __call__(
        self, connection: Connection, *, merchant_id: str, card_id: str, ladder: str, rank: int
    ) -> Sequence[str]:
        """Ids of what it voided: coupons of the ladder's ranks above `rank`, the rank now."""
        ...


@dataclass(frozen=True, slots=True)
class Noted:
    """What was just booked for a card: by so much its figures moved.

    Attributes:
        reference: id of the order or task; number of the refund.
        order_id: of a refund, the order.
        comes_last: nothing was known of it before, so it only adds.
        lifetime: the card's lifetime figures by now, without growth; None when they are not known.
    """

    merchant_id: str
    card_id: str
    at: datetime
    cause: Cause
    reference: str
    orders: int = 0
    amount_minor: int = 0
    growth: int = 0
    order_id: str = ""
    comes_last: bool = True
    lifetime: Figures | None = None

    @property
    def key(self) -> Key:
        """merchant_id and card_id."""
        return (self.merchant_id, self.card_id)


class Evaluator:
    """Evaluates within a transaction of the caller."""

    def __init__(self, zone: ZoneInfo, void_tier_coupons: VoidTierCoupons) -> None:
        self._zone = zone
        self._void = void_tier_coupons

    @property
    def zone(self) -> ZoneInfo:
        """Of its calendar."""
        return self._zone

    def note(self, connection: Connection, noted: Noted) -> None:
        """Evaluates every ladder of the merchant after the card's figures moved."""
        merchant_id, at = noted.merchant_id, to_micros(noted.at)
        ladders = read_ladders(connection, [merchant_id], at=at).get(merchant_id, [])
        held = read_held(connection, [noted.key])
        if not ladders and not held:
            return
        policy = read_policies(connection, [merchant_id], at=at).get(merchant_id, NO_POLICY)
        for ladder in ladders:
            key = (*noted.key, ladder.name)
            if ladder.window is TierWindow.LIFETIME and not policy.weights:
                self._note_lifetime(connection, noted, ladder, policy)
            elif _continues(held.get(key), noted, ladder, policy):
                self._note_more(connection, noted, ladder, policy, held[key])
            else:
                self._note_anew(connection, noted, ladder, held.get(key))
        in_force = {ladder.name for ladder in ladders}
        for key, kept in held.items():
            # What is heard of late may be older than the ladder that counts it.
            if key[2] not in in_force and kept.as_of > noted.at:
                self._settle(connection, key, kept.as_of)

    def end_due(self, connection: Connection, *, now: datetime, limit: int = DUE_MAX) -> int:
        """Evaluates tiers whose time is over by `now`; how many, at most `limit`.

        Source: docs/rules/tiers.md, rule 10.
        """
        due = read_due(connection, now=to_micros(now), limit=limit)
        for key in due:
            self._settle(connection, key, now)
        return len(due)

    def settle_card(
        self, connection: Connection, merchant_id: str, card_id: str, *, now: datetime
    ) -> None:
        """Finds the card's tiers from its whole history, whatever was kept of them."""
        ladders = read_ladders(connection, [merchant_id], at=to_micros(now)).get(merchant_id, [])
        for ladder in ladders:
            if ladder.window is not TierWindow.LIFETIME:
                self._settle(connection, (merchant_id, card_id, ladder.name), now)

    def _note_lifetime(
        self, connection: Connection, noted: Noted, ladder: Ladder, policy: TierPolicy
    ) -> None:
        if noted.lifetime is None or ladder.metric is TierMetric.GROWTH:
            after = _figures(connection, noted.key, ladder, policy, since=None)
        else:
            after = noted.lifetime
        before = Figures(
            after.order_count - noted.orders,
            after.amount_minor - noted.amount_minor,
            after.growth - noted.growth,
        )
        figure = measured(ladder, after)
        rank_before, rank_after = ladder.rank_of(measured(ladder, before)), ladder.rank_of(figure)
        if rank_before != rank_after:
            evaluation = Evaluation(
                at=noted.at,
                cause=noted.cause,
                reference=noted.reference,
                version=ladder.version,
                window_from=None,
                figure=figure,
                rank_before=rank_before,
                rank_after=rank_after,
                valid_until=None,
            )
            self._log(connection, (*noted.key, ladder.name), evaluation)

    def _note_more(
        self,
        connection: Connection,
        noted: Noted,
        ladder: Ladder,
        policy: TierPolicy,
        kept: KeptTier,
    ) -> None:
        """What comes last and adds can only raise the tier that is kept."""
        key = (*noted.key, ladder.name)
        month = first_month(ladder, month_of(noted.at, self._zone))
        since = None if month is None else month_start(month, self._zone)
        figure = measured(ladder, _figures(connection, noted.key, ladder, policy, since=since))
        after = raised(ladder, kept.held, figure, at=noted.at, zone=self._zone)
        write_held(connection, key, replace(kept, held=after, as_of=noted.at))
        if after != kept.held:
            evaluation = Evaluation(
                at=noted.at,
                cause=noted.cause,
                reference=noted.reference,
                version=ladder.version,
                window_from=since,
                figure=figure,
                rank_before=kept.held.rank,
                rank_after=after.rank,
                valid_until=after.valid_until,
            )
            self._log(connection, key, evaluation)

    def _note_anew(
        self, connection: Connection, noted: Noted, ladder: Ladder, kept: KeptTier | None
    ) -> None:
        key = (*noted.key, ladder.name)
        until = max(noted.at, kept.as_of) if kept else noted.at
        deeds = read_deeds(connection, [noted.key]).get(noted.key, [])
        if noted.cause is Cause.REFUND:
            before = self._settle(connection, key, until, _without(deeds, noted))
            after = self._settle(connection, key, until, deeds)
            if before and after and before.held != after.held:
                evaluation = Evaluation(
                    at=noted.at,
                    cause=Cause.REFUND,
                    reference=noted.reference,
                    version=ladder.version,
                    window_from=_window_from(ladder, noted.at, self._zone),
                    figure=after.figure,
                    rank_before=before.held.rank,
                    rank_after=after.held.rank,
                    valid_until=after.held.valid_until,
                )
                self._log(connection, key, evaluation)
        else:
            self._settle(connection, key, until, deeds)

    def _settle(
        self,
        connection: Connection,
        key: HeldKey,
        until: datetime,
        deeds: Sequence[Deed] | None = None,
    ) -> Verdict | None:
        """Goes through the card's whole history and keeps where it leads."""
        merchant_id, card_id, ladder = key
        if deeds is None:
            deeds = read_deeds(connection, [(merchant_id, card_id)]).get((merchant_id, card_id), [])
        rules = read_rules(connection, merchant_id, ladder=ladder, until=to_micros(until))
        verdict = evaluate(rules, deeds, until=until, zone=self._zone)
        if verdict is not None:
            fell = [
                insert_evaluation(connection, key, each) and each.rank_after < each.rank_before
                for each in verdict.evaluations
            ]
            if any(fell):
                # A fall of long ago may be found now, and the tier have been reached again since.
                self._void_above(connection, key, verdict.held.rank)
            write_held(connection, key, KeptTier(verdict.held, rules[-1].key, until))
        return verdict

    def _log(self, connection: Connection, key: HeldKey, evaluation: Evaluation) -> None:
        """Keeps what was just found to hold now."""
        is_new = insert_evaluation(connection, key, evaluation)
        if is_new and evaluation.rank_after < evaluation.rank_before:
            self._void_above(connection, key, evaluation.rank_after)

    def _void_above(self, connection: Connection, key: HeldKey, rank: int) -> None:
        merchant_id, card_id, ladder = key
        self._void(connection, merchant_id=merchant_id, card_id=card_id, ladder=ladder, rank=rank)


def measured(ladder: Ladder, figures: Figures) -> int:
    """What the ladder measures of a card's figures."""
    return figure_of(
        ladder,
        orders=figures.order_count,
        amount_minor=figures.amount_minor,
        growth=figures.growth,
    )


def is_current(kept: KeptTier | None, *, rule: str, at: datetime) -> bool:
    """Whether the kept tier still stands at that instant: nothing came to an end since."""
    if kept is None or kept.rule != rule:
        return False
    return kept.held.valid_until is None or kept.held.valid_until > at


def rule_key(ladder: Ladder, policy: TierPolicy) -> str:
    """Names the rule that is in force, as `Rule.key` does."""
    return f"{ladder.version}.{policy.version}"


def _continues(kept: KeptTier | None, noted: Noted, ladder: Ladder, policy: TierPolicy) -> bool:
    return (
        kept is not None
        and noted.comes_last
        and noted.cause is not Cause.REFUND
        and kept.as_of <= noted.at
        and is_current(kept, rule=rule_key(ladder, policy), at=noted.at)
    )


def _figures(
    connection: Connection,
    key: Key,
    ladder: Ladder,
    policy: TierPolicy,
    *,
    since: datetime | None,
) -> Figures:
    found = read_figures(
        connection,
        [key],
        {key[0]: policy},
        since=None if since is None else to_micros(since),
        with_growth=ladder.metric is TierMetric.GROWTH,
    )
    return found.get(key, Figures())


def _without(deeds: Sequence[Deed], noted: Noted) -> list[Deed]:
    """The history as it was before the refund."""
    return [
        replace(
            deed,
            reductions=tuple(each for each in deed.reductions if each.refund_no != noted.reference),
        )
        if deed.id == noted.order_id
        else deed
        for deed in deeds
    ]


def _window_from(ladder: Ladder, at: datetime, zone: ZoneInfo) -> datetime | None:
    month = first_month(ladder, month_of(at, zone))
    return None if month is None else month_start(month, zone)
