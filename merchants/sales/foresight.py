"""What the calls of an order's path will read, told to the database beforehand.

Nothing here decides anything: what is not foreseen is read when it is needed.
"""

from __future__ import annotations

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.foresight import foresee
from merchants.cards.aliases_sql import read_survivor
from merchants.coupons.coupons_sql import read_usable_coupons
from merchants.coupons.locks_sql import read_released
from merchants.coupons.template_life import CouponTrigger
from merchants.coupons.templates_sql import read_triggered_templates
from merchants.keys_sql import Key
from merchants.ladders.held_sql import read_floors, read_held
from merchants.ladders.ladders_sql import read_ladders, read_lifetime_figures
from merchants.ladders.paid_sql import read_paid_of
from merchants.ladders.policies_sql import read_policies
from merchants.policy_sql import read_policy
from merchants.port import PlaceOrder, PriceCart, RecordEvent
from merchants.promotions.promotions_sql import read_open_promotions
from merchants.registry_sql import read_state
from merchants.sales.quoting import CANDIDATES_MAX


def foresee_offers(connection: Connection, key: Key, *, at: int) -> None:
    """Tells what a card's offers are made of."""
    foresee(
        connection,
        lambda asked: _ask_usable(asked, key, at=at),
        lambda asked: _ask_tiers(asked, key, at=at),
    )


def foresee_price(connection: Connection, cart: PriceCart) -> None:
    """Tells what a cart's price is made of."""
    at, card_id = to_micros(cart.at), cart.card_id

    def ask(asked: Connection) -> None:
        read_state(asked, cart.merchant_id)
        if card_id is not None:
            _ask_tiers(asked, (cart.merchant_id, card_id), at=at)
            if cart.choose_best:
                _ask_usable(asked, (cart.merchant_id, card_id), at=at)
        read_open_promotions(asked, cart.merchant_id, at=at)
        read_policy(asked, cart.merchant_id)

    foresee(connection, ask)


def foresee_sale(connection: Connection, order: PlaceOrder) -> None:
    """Tells what booking a sale reads."""
    merchant_id, card_id = order.merchant_id, order.cart.card_id

    def ask(asked: Connection) -> None:
        read_released(asked, merchant_id=merchant_id, attempt_id=order.attempt_id)
        if card_id is not None:
            read_survivor(asked, merchant_id, card_id)
            _ask_evaluation(asked, (merchant_id, card_id), at=to_micros(order.paid_at))
            read_triggered_templates(asked, merchant_id, CouponTrigger.CATEGORY)

    foresee(connection, ask)


def foresee_record(connection: Connection, event: RecordEvent) -> None:
    """Tells what recording another merchant's event reads."""

    def ask(asked: Connection) -> None:
        read_survivor(asked, event.merchant_id, event.card_id)
        _ask_evaluation(asked, (event.merchant_id, event.card_id), at=to_micros(event.at))

    foresee(connection, ask)


def _ask_evaluation(asked: Connection, key: Key, *, at: int) -> None:
    read_triggered_templates(asked, key[0], CouponTrigger.TIER_REACHED)
    read_ladders(asked, [key[0]], at=at)
    read_held(asked, [key])
    read_policies(asked, [key[0]], at=at)


def _ask_tiers(asked: Connection, key: Key, *, at: int) -> None:
    read_ladders(asked, [key[0]], at=at)
    read_paid_of(asked, [key])
    read_policies(asked, [key[0]], at=at)
    read_lifetime_figures(asked, [key])
    read_floors(asked, [key], at=at)


def _ask_usable(asked: Connection, key: Key, *, at: int) -> None:
    merchant_id, card_id = key
    read_usable_coupons(
        asked, merchant_id=merchant_id, card_id=card_id, at=at, limit=CANDIDATES_MAX
    )
