"""Making a promotion, or a new version of one.

Source: docs/rules/pricing.md, rules 10 to 15.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import IdSource
from kernel.refusals import InvalidInput, NotFound
from merchants.promotions.promotions_sql import count_live, read_promotion, write_version
from merchants.promotions.terms import PromotionTerms
from merchants.promotions.validation import LIVE_MAX, promotion_problems


def set_promotion(
    connection: Connection,
    terms: PromotionTerms,
    *,
    merchant_id: str,
    promotion_id: str | None,
    now: datetime,
    ids: IdSource,
) -> tuple[str, int]:
    """Id and version of what was made; the version is in force at once.

    Args:
        promotion_id: None for a new promotion.

    Raises:
        NotFound: the merchant has no such promotion.
        InvalidInput: the terms have faults, all of them told; the kind is another one than
            before; or the merchant has too many promotions that are not over.
    """
    before = None
    if promotion_id is not None:
        before = read_promotion(connection, merchant_id=merchant_id, promotion_id=promotion_id)
        if before is None:
            raise NotFound(promotion_id)
    problems = promotion_problems(terms, now=now, taken=before.taken if before else 0)
    if before is not None and before.promotion.terms.kind is not terms.kind:
        problems.append(
            ["kind", f"must be {before.promotion.terms.kind}, as in the versions before"]
        )
    is_new = before is None or before.promotion.terms.ends_at <= now
    if is_new and count_live(connection, merchant_id, at=to_micros(now)) >= LIVE_MAX:
        problems.append(
            [
                "endsAt",
                f"must wait: a merchant has at most {LIVE_MAX} promotions that are not over",
            ]
        )
    if problems:
        raise InvalidInput(problems)
    made_id = promotion_id or ids.new_within("prm", merchant_id)
    version = before.promotion.version + 1 if before else 1
    write_version(
        connection,
        terms,
        merchant_id=merchant_id,
        promotion_id=made_id,
        version=version,
        set_at=to_micros(now),
    )
    return made_id, version
