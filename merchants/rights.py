"""Who may see and do what at a merchant: one place for every object-level rule."""

from __future__ import annotations

from kernel.callers import Caller, CallerKind
from kernel.refusals import NotFound


def may_see_wallet(caller: Caller | None, *, merchant_id: str, card_id: str | None) -> bool:
    """Whether the caller may read what a card has at a merchant.

    A member sees what its own card has everywhere, a merchant what any card has with it, an
    admin everything.
    """
    if caller is None:
        return False
    if caller.kind is CallerKind.MEMBER:
        return card_id is not None and caller.card_id == card_id
    return caller.may_act_for(merchant_id)


def may_act_for(caller: Caller | None, merchant_id: str) -> bool:
    """Whether the caller may read and change the merchant's own things."""
    return caller is not None and caller.may_act_for(merchant_id)


def require_may_act_for(caller: Caller, merchant_id: str, *, named: str) -> None:
    """Refuses as if the thing did not exist, so that nobody learns what others have.

    Args:
        named: the id in the input that leads to the merchant.

    Raises:
        NotFound: the caller is neither that merchant nor an admin.
    """
    if not caller.may_act_for(merchant_id):
        raise NotFound(named)


def require_may_decide_for(caller: Caller, merchant_id: str, *, named: str) -> None:
    """Refuses as if the thing did not exist, tills of one store too.

    Args:
        named: the id in the input that leads to the merchant.

    Raises:
        NotFound: the caller is neither that merchant as a whole nor an admin.

    Source: docs/rules/merchants.md, rule 4.
    """
    if not caller.may_decide_for(merchant_id):
        raise NotFound(named)
