"""Which checkouts and orders a caller may touch. See docs/rules/checkout.md, rule 11."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.checkout import checkouts_sql
from gateway.checkout.saved import SavedCheckout
from kernel.callers import Caller
from kernel.refusals import NotFound


def may_use_checkout(caller: Caller, checkout: SavedCheckout) -> bool:
    """Whether the caller acts for the checkout's merchant, and for its store when bound to one."""
    return caller.may_act_for(checkout.merchant_id) and caller.store_id in (
        None,
        checkout.cart.store_id,
    )


def own_checkout(connection: Connection, caller: Caller, checkout_id: str) -> SavedCheckout:
    """The checkout.

    Raises:
        NotFound: there is none that the caller may use.
    """
    checkout = checkouts_sql.read_checkout(connection, checkout_id)
    if checkout is None or not may_use_checkout(caller, checkout):
        raise NotFound(id=checkout_id)
    return checkout
