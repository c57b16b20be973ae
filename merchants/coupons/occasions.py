"""Coupons that templates give by themselves: once for each member and occasion.

Source: docs/rules/coupons.md, rules 20 and 21.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import IdSource
from merchants.coupons.audiences import Buying, belongs
from merchants.coupons.audiences_sql import read_buying, read_outsiders
from merchants.coupons.issuing import issue_if_room
from merchants.coupons.occasions_sql import note_occasion, read_cards, read_given, settle_occasion
from merchants.coupons.template_life import SWEPT, CouponTrigger
from merchants.coupons.templates_sql import Template, read_triggered_templates
from merchants.coupons.unearned import purchase_occasion
from merchants.ladders.standings import ranks_of
from merchants.port import GiveCoupons, MerchantState
from merchants.registry_sql import read_member_cards, read_state

PAGE = 200


@dataclass(frozen=True, slots=True)
class TierWatch:
    """Ranks of a card before something moved its figures, where reaching a tier gives coupons."""

    merchant_id: str
    card_id: str
    templates: tuple[Template, ...]
    ranks: dict[str, int]

    @classmethod
    def begin(
        cls,
        connection: Connection,
        *,
        merchant_id: str,
        card_id: str,
        now: datetime,
        zone: ZoneInfo,
    ) -> Self:
        """The watch; it reads standings only where a template waits for a tier."""
        templates = _active(connection, merchant_id, CouponTrigger.TIER_REACHED)
        ranks = _ranks(connection, merchant_id, card_id, now, zone) if templates else {}
        return cls(merchant_id, card_id, tuple(templates), ranks)

    def give(
        self, connection: Connection, *, now: datetime, zone: ZoneInfo, ids: IdSource
    ) -> list[str]:
        """Coupons of the tiers reached since the watch began; each tier gives once."""
        if not self.templates:
            return []
        reached = _ranks(connection, self.merchant_id, self.card_id, now, zone)
        given = []
        for template in self.templates:
            audience = template.draft.life.audience
            assert audience is not None
            ladder, needed = audience.ladder or "", audience.min_rank or 1
            if self.ranks.get(ladder, 0) < needed <= reached.get(ladder, 0):
                occasion = f"{ladder}:{needed}"
                given += _give(connection, template, self.card_id, occasion, now=now, ids=ids)
        return given


def give_for_purchase(
    connection: Connection,
    *,
    merchant_id: str,
    card_id: str,
    order_id: str,
    category_ids: Iterable[str | None],
    now: datetime,
    zone: ZoneInfo,
    ids: IdSource,
) -> list[str]:
    """Coupons for having bought from a category; each order gives once."""
    given = []
    bought = list(enumerate(category_ids))
    for template in _active(connection, merchant_id, CouponTrigger.CATEGORY):
        wanted = template.draft.terms.category_ids or ()
        lines = [index for index, category_id in bought if category_id in wanted]
        if lines and not _outsiders(connection, template, [card_id], now, zone):
            occasion = purchase_occasion(order_id, lines)
            given += _give(connection, template, card_id, occasion, now=now, ids=ids)
    return given


def give_coupons(
    connection: Connection, given: GiveCoupons, *, now: datetime, zone: ZoneInfo, ids: IdSource
) -> int:
    """How many coupons the occasion gave now; none to who had theirs, or never joined."""
    count = 0
    members = read_member_cards(connection, given.merchant_id, given.card_ids)
    for template in _active(connection, given.merchant_id, CouponTrigger(given.trigger)):
        cards = sorted(members)
        outside = set(_outsiders(connection, template, cards, now, zone))
        for card_id in cards:
            if card_id not in outside:
                count += len(_give(connection, template, card_id, given.occasion, now=now, ids=ids))
    return count


def give_due_page(
    connection: Connection,
    merchant_id: str,
    *,
    after: str,
    now: datetime,
    zone: ZoneInfo,
    ids: IdSource,
) -> tuple[int, str | None]:
    """Gives what is due to the next cards; how many, and the last card, None at the end."""
    templates = due_templates(connection, merchant_id, now=now, zone=zone)
    cards = read_cards(connection, merchant_id, after=after, limit=PAGE)
    count = 0
    for template in templates:
        count += _give_due(connection, template, cards, now=now, zone=zone, ids=ids)
    return count, cards[-1] if len(cards) == PAGE else None


def due_templates(
    connection: Connection, merchant_id: str, *, now: datetime, zone: ZoneInfo
) -> list[Template]:
    """Templates whose coupons may be due to somebody now."""
    return [
        template
        for trigger in SWEPT
        for template in _active(connection, merchant_id, trigger)
        if _is_its_day(template, now, zone)
    ]


def _give_due(
    connection: Connection,
    template: Template,
    cards: Sequence[str],
    *,
    now: datetime,
    zone: ZoneInfo,
    ids: IdSource,
) -> int:
    if not cards:
        return 0
    life = template.draft.life
    buying: dict[str, Buying] = {}
    if life.audience is not None:
        merchant_id, audience = template.merchant_id, life.audience
        buying = read_buying(
            connection, audience, merchant_id=merchant_id, card_ids=cards, now=now, zone=zone
        )
        cards = [card for card in cards if belongs(audience, buying[card], now=to_micros(now))]
    if not cards:
        return 0
    had = read_given(
        connection,
        merchant_id=template.merchant_id,
        template_id=template.template_id,
        card_ids=cards,
    )
    count = 0
    for card_id in cards:
        if life.trigger_on is not None:
            occasion = life.trigger_on.isoformat()
        else:
            # One silence, one coupon: it ends with the next order.
            occasion = f"since {buying[card_id].last_order_at}"
        if (card_id, occasion) not in had:
            count += len(_give(connection, template, card_id, occasion, now=now, ids=ids))
    return count


def _is_its_day(template: Template, now: datetime, zone: ZoneInfo) -> bool:
    day = template.draft.life.trigger_on
    return day is None or now.astimezone(zone).date() == day


def _active(connection: Connection, merchant_id: str, trigger: CouponTrigger) -> list[Template]:
    """Templates of the trigger, when the merchant may issue at all."""
    templates = read_triggered_templates(connection, merchant_id, trigger)
    if templates and read_state(connection, merchant_id) != MerchantState.ACTIVE:
        return []
    return templates


def _outsiders(
    connection: Connection,
    template: Template,
    cards: Sequence[str],
    now: datetime,
    zone: ZoneInfo,
) -> list[str]:
    return read_outsiders(
        connection,
        template.draft.life.audience,
        merchant_id=template.merchant_id,
        card_ids=cards,
        now=now,
        zone=zone,
    )


def _give(
    connection: Connection,
    template: Template,
    card_id: str,
    occasion: str,
    *,
    now: datetime,
    ids: IdSource,
) -> list[str]:
    """The coupon, unless the occasion gave it before, or nothing is left to give."""
    key = {
        "merchant_id": template.merchant_id,
        "template_id": template.template_id,
        "card_id": card_id,
        "occasion": occasion,
    }
    if not note_occasion(connection, **key):
        return []
    coupon_id = issue_if_room(connection, template, card_id, now=now, ids=ids)
    settle_occasion(connection, coupon_id=coupon_id, **key)
    return [] if coupon_id is None else [coupon_id]


def _ranks(
    connection: Connection, merchant_id: str, card_id: str, now: datetime, zone: ZoneInfo
) -> dict[str, int]:
    key = (merchant_id, card_id)
    return ranks_of(connection, [key], now=now, zone=zone)[key]
