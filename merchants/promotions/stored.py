"""A promotion's terms as JSON text and back."""

from __future__ import annotations

from typing import Any

import orjson

from kernel.graphql import format_datetime, parse_datetime
from merchants.promotions.terms import PromotionKind, PromotionTerms


def terms_as_text(terms: PromotionTerms) -> str:
    """The terms as they are kept."""
    stored = {
        "title": terms.title,
        "kind": terms.kind,
        "startsAt": format_datetime(terms.starts_at),
        "endsAt": format_datetime(terms.ends_at),
        "threshold": terms.threshold_minor,
        "off": terms.off_minor,
        "percentOffBps": terms.percent_off_bps,
        "price": terms.price_minor,
        "skus": terms.skus,
        "categoryIds": terms.category_ids,
        "stock": terms.stock,
        "earlyAccessRank": terms.early_access_rank,
        "earlyAccessMinutes": terms.early_access_minutes,
        "membersOnly": terms.members_only,
        "stacks": terms.stacks,
        "weekdays": terms.weekdays,
        "monthDays": terms.month_days,
    }
    return orjson.dumps(stored).decode()


def terms_from_text(text: str) -> PromotionTerms:
    """The terms that `terms_as_text` wrote."""
    stored: dict[str, Any] = orjson.loads(text)
    return PromotionTerms(
        title=stored["title"],
        kind=PromotionKind(stored["kind"]),
        starts_at=parse_datetime(stored["startsAt"]),
        ends_at=parse_datetime(stored["endsAt"]),
        threshold_minor=stored["threshold"],
        off_minor=stored["off"],
        percent_off_bps=stored["percentOffBps"],
        price_minor=stored["price"],
        skus=_several(stored["skus"]),
        category_ids=_several(stored["categoryIds"]),
        stock=stored["stock"],
        early_access_rank=stored["earlyAccessRank"],
        early_access_minutes=stored["earlyAccessMinutes"],
        members_only=stored["membersOnly"],
        stacks=stored["stacks"],
        weekdays=_several(stored["weekdays"]),
        month_days=_several(stored["monthDays"]),
    )


def _several(stored: list[Any] | None) -> tuple[Any, ...] | None:
    return None if stored is None else tuple(stored)
