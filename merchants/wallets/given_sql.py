"""SQL of shares and occasions of two cards that become one. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.statements import Prepared

_SHARED = Prepared(
    "SELECT share_code FROM coupon_share WHERE merchant_id = :merchant_id AND card_id = :card_id"
    " ORDER BY share_code"
)
_CLAIMED = Prepared(
    "SELECT share_code FROM coupon_share"
    " WHERE merchant_id = :merchant_id AND claimed_by = :card_id ORDER BY share_code"
)
_SHARE_CARD = Prepared(
    "UPDATE coupon_share SET card_id = :card_id"
    " WHERE merchant_id = :merchant_id AND share_code = :moved_id"
)
_CLAIM_CARD = Prepared(
    "UPDATE coupon_share SET claimed_by = :card_id"
    " WHERE merchant_id = :merchant_id AND share_code = :moved_id"
)
# What both were given for one occasion stays with each; the survivor is given nothing again.
_OCCASIONS = Prepared(
    "SELECT template_id, occasion FROM coupon_occasion AS o WHERE merchant_id = :merchant_id"
    " AND card_id = :before AND NOT EXISTS (SELECT 1 FROM coupon_occasion AS s"
    " WHERE s.merchant_id = o.merchant_id AND s.template_id = o.template_id"
    " AND s.card_id = :after AND s.occasion = o.occasion) ORDER BY template_id, occasion"
)
_OCCASION_CARD = Prepared(
    "UPDATE coupon_occasion SET card_id = :after WHERE merchant_id = :merchant_id"
    " AND template_id = :template_id AND card_id = :before AND occasion = :occasion"
)


@dataclass(frozen=True, slots=True)
class Given:
    """What of a card's coupons is known beside them.

    Attributes:
        shared, claimed: codes of the shares that the card opened, and claimed.
        occasions: (template, occasion) for which it was given a coupon.
    """

    shared: Sequence[str] = ()
    claimed: Sequence[str] = ()
    occasions: Sequence[Sequence[str]] = ()


def read_given(connection: Connection, merchant_id: str, *, before: str, after: str) -> Given:
    """The shares of a card, and the occasions for which only it was given a coupon."""
    key = {"merchant_id": merchant_id, "card_id": before}
    names = {"merchant_id": merchant_id, "before": before, "after": after}
    return Given(
        shared=list(connection.execute(_SHARED, key).scalars()),
        claimed=list(connection.execute(_CLAIMED, key).scalars()),
        occasions=[
            [row.template_id, row.occasion] for row in connection.execute(_OCCASIONS, names)
        ],
    )


def write_given(
    connection: Connection, merchant_id: str, given: Given, *, before: str, after: str
) -> None:
    """Makes shares and occasions another card's."""
    for statement, codes in ((_SHARE_CARD, given.shared), (_CLAIM_CARD, given.claimed)):
        for code in codes:
            values = {"merchant_id": merchant_id, "card_id": after, "moved_id": code}
            connection.execute(statement, values)
    for template_id, occasion in given.occasions:
        connection.execute(
            _OCCASION_CARD,
            {
                "merchant_id": merchant_id,
                "template_id": template_id,
                "occasion": occasion,
                "before": before,
                "after": after,
            },
        )
