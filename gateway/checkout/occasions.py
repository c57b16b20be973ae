"""Gives the coupons whose occasion has come: birthdays, holidays, members gone quiet.

Once for each member and occasion, however often and by however many it is run.
See docs/rules/coupons.md, rule 20.
"""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

from gateway.checkout.desk import UNANSWERED, Desk
from gateway.directory.entries import MerchantState
from gateway.membership.birthdays_sql import read_birthday_cards
from merchants.coupons.template_life import CouponTrigger
from merchants.port import GiveCoupons

PAGE = 200
logger = logging.getLogger(__name__)


async def sweep_occasions(desk: Desk) -> int:
    """Gives what is due at every merchant, the alliance's own too; how many coupons."""
    count = 0
    for merchant in (desk.directory.alliance, *desk.directory.all_merchants()):
        if merchant.state is not MerchantState.ACTIVE:
            continue
        try:
            count += await desk.backend.give_due(merchant.id)
            count += await _give_for_birthdays(desk, merchant.id)
        except UNANSWERED as error:
            logger.warning("occasions of %s wait: %s", merchant.id, error)
    return count


async def _give_for_birthdays(desk: Desk, merchant_id: str) -> int:
    zone = ZoneInfo(desk.settings.current.values.time_zone)
    today = desk.clock.now().astimezone(zone).date()
    count, after = 0, ""
    while True:
        cards, last = await desk.database.snapshot(
            lambda connection, seen=after: read_birthday_cards(  # type: ignore[misc]
                connection, merchant_id, on=today, after=seen, limit=PAGE
            )
        )
        if cards:
            count += await desk.backend.give(
                GiveCoupons(
                    merchant_id=merchant_id,
                    trigger=CouponTrigger.BIRTHDAY,
                    occasion=str(today.year),
                    card_ids=tuple(cards),
                )
            )
        if last is None:
            return count
        after = last
