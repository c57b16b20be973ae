"""Offers as JSON text and back: how orders keep their lines, and checkouts their agreed price."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from kernel.graphql import format_datetime, parse_datetime
from merchants.coupons.template_life import life_as_json, life_from_json
from merchants.coupons.templates import Funder, TemplateDraft
from merchants.ladders.tiers import Benefit, Step
from merchants.offers import (
    Allocation,
    CouponKind,
    CouponTerms,
    Decision,
    DecisionKind,
    DecisionOutcome,
    GiftZone,
    PricedLine,
    Redemption,
)
from merchants.sales.refunding import LineRefund


def dump(value: object) -> str:
    """Compact JSON text."""
    return orjson.dumps(value).decode()


def load(text: str) -> Any:
    """The value that `dump` wrote."""
    return orjson.loads(text)


def lines_as_json(lines: Iterable[PricedLine]) -> list[Any]:
    """Priced lines as JSON."""
    return [
        [
            line.sku,
            line.quantity,
            line.list_minor,
            line.payable_minor,
            line.points,
            line.coins_minor,
            [_allocation_as_json(each) for each in line.allocations],
        ]
        for line in lines
    ]


def _allocation_as_json(each: Allocation) -> list[Any]:
    stored: list[Any] = [each.decision_id, each.amount_minor]
    if each.given_units:
        stored.append(each.given_units)
        if each.given_minor is not None:
            stored.append(each.given_minor)
    return stored


def lines_from_json(stored: list[Any]) -> tuple[PricedLine, ...]:
    """The lines that `lines_as_json` wrote; it wrote less of given units once."""
    return tuple(
        PricedLine(
            index=index,
            sku=sku,
            quantity=quantity,
            list_minor=list_minor,
            payable_minor=payable_minor,
            points=points,
            coins_minor=coins_minor,
            allocations=tuple(Allocation(*each) for each in allocations),
        )
        for index, (
            sku,
            quantity,
            list_minor,
            payable_minor,
            points,
            coins_minor,
            allocations,
        ) in enumerate(stored)
    )


def decisions_as_json(decisions: Iterable[Decision]) -> list[Any]:
    """Decisions as JSON."""
    return [
        [
            each.id,
            each.title,
            each.kind,
            each.outcome,
            each.says,
            each.amount_minor,
            each.reason,
            each.blocked_by,
            each.missing_minor,
            each.rule_version,
            each.facts,
        ]
        for each in decisions
    ]


def decisions_from_json(stored: list[Any]) -> tuple[Decision, ...]:
    """The decisions that `decisions_as_json` wrote."""
    return tuple(
        Decision(
            each[0],
            each[1],
            DecisionKind(each[2]),
            DecisionOutcome(each[3]),
            each[4],
            amount_minor=each[5],
            reason=each[6],
            blocked_by=each[7],
            missing_minor=each[8],
            rule_version=each[9],
            facts=tuple((name, value) for name, value in each[10]),
        )
        for each in stored
    )


def redemptions_as_json(redemptions: Iterable[Redemption]) -> list[Any]:
    """Redemptions as JSON."""
    return [
        [
            each.coupon_id,
            each.amount_minor,
            each.funder_alliance_bps,
            *([] if each.rechecked is None else [terms_as_json(each.rechecked)]),
        ]
        for each in redemptions
    ]


def redemptions_from_json(stored: list[Any]) -> tuple[Redemption, ...]:
    """The redemptions that `redemptions_as_json` wrote."""
    return tuple(
        Redemption(*each[:3], *(terms_from_json(terms) for terms in each[3:])) for each in stored
    )


def line_refunds_as_json(lines: Iterable[LineRefund]) -> list[Any]:
    """Line refunds as JSON."""
    return [
        [each.index, each.units, each.cash_minor, each.points, each.coins_minor] for each in lines
    ]


def line_refunds_from_json(stored: list[Any]) -> tuple[LineRefund, ...]:
    """The line refunds that `line_refunds_as_json` wrote."""
    return tuple(LineRefund(*each) for each in stored)


def benefits_as_json(benefits: Iterable[Benefit]) -> list[Any]:
    """Benefits as JSON."""
    return [
        [
            each.kind,
            each.title,
            each.percent_off_bps,
            each.points_multiplier_bps,
            each.entitlement,
            each.title_en,
            each.early_minutes,
            each.gift_sku,
            each.price_minor,
            each.skus,
            each.category_ids,
            each.min_spend_minor,
        ]
        for each in benefits
    ]


def benefits_from_json(stored: list[Any]) -> tuple[Benefit, ...]:
    """The benefits that `benefits_as_json` wrote; it wrote fewer fields once."""
    return tuple(_benefit(each) for each in stored)


def _benefit(stored: list[Any]) -> Benefit:
    values: list[Any] = [tuple(each) if isinstance(each, list) else each for each in stored]
    return Benefit(*values)


def steps_as_json(steps: Iterable[Step]) -> list[Any]:
    """Steps of a ladder as JSON."""
    return [
        [
            step.name,
            step.name_en,
            step.rank,
            step.threshold,
            benefits_as_json(step.benefits),
        ]
        for step in steps
    ]


def steps_from_json(stored: list[Any]) -> tuple[Step, ...]:
    """The steps that `steps_as_json` wrote."""
    return tuple(
        Step(name, name_en, rank, threshold, benefits_from_json(benefits))
        for name, name_en, rank, threshold, benefits in stored
    )


def draft_as_json(draft: TemplateDraft) -> dict[str, Any]:
    """A coupon template as JSON."""
    return {
        **terms_as_json(draft.terms),
        "funder": draft.funder,
        "funderAllianceBps": draft.funder_alliance_bps,
        "validFrom": draft.valid_from and format_datetime(draft.valid_from),
        "validUntil": draft.valid_until and format_datetime(draft.valid_until),
        "validDays": draft.valid_days,
        "quotaTotal": draft.quota_total,
        "quotaPerMember": draft.quota_per_member,
        "shareable": draft.shareable,
        "forNewMembers": draft.for_new_members,
        "life": life_as_json(draft.life),
    }


def draft_from_json(stored: dict[str, Any]) -> TemplateDraft:
    """The template that `draft_as_json` wrote."""
    return TemplateDraft(
        terms=terms_from_json(stored),
        funder=Funder(stored["funder"]),
        funder_alliance_bps=stored["funderAllianceBps"],
        valid_from=stored["validFrom"] and parse_datetime(stored["validFrom"]),
        valid_until=stored["validUntil"] and parse_datetime(stored["validUntil"]),
        valid_days=stored["validDays"],
        quota_total=stored["quotaTotal"],
        quota_per_member=stored["quotaPerMember"],
        shareable=stored["shareable"],
        for_new_members=stored["forNewMembers"],
        life=life_from_json(stored.get("life")),
    )


def terms_as_json(terms: CouponTerms) -> dict[str, Any]:
    """What a coupon grants, as JSON."""
    return {
        "title": terms.title,
        "kind": terms.kind,
        "minSpend": terms.min_spend_minor,
        "amount": terms.amount_minor,
        "percentOffBps": terms.percent_off_bps,
        "cap": terms.cap_minor,
        "skus": terms.skus,
        "categoryIds": terms.category_ids,
        "channels": terms.channels,
        "stackingGroup": terms.stacking_group,
        "termsAllianceBps": terms.funder_alliance_bps,
        "zone": None if terms.zone is None else _zone_as_json(terms.zone),
    }


def terms_from_json(stored: dict[str, Any]) -> CouponTerms:
    """The terms that `terms_as_json`, or the template that `draft_as_json` wrote."""
    return CouponTerms(
        title=stored["title"],
        kind=CouponKind(stored["kind"]),
        min_spend_minor=stored["minSpend"],
        amount_minor=stored["amount"],
        percent_off_bps=stored["percentOffBps"],
        cap_minor=stored["cap"],
        skus=_texts(stored["skus"]),
        category_ids=_texts(stored["categoryIds"]),
        channels=_texts(stored["channels"]),
        stacking_group=stored["stackingGroup"],
        funder_alliance_bps=stored["termsAllianceBps"],
        zone=_zone_from_json(stored.get("zone")),
    )


def _zone_from_json(stored: dict[str, Any] | None) -> GiftZone | None:
    if stored is None:
        return None
    return GiftZone(
        skus=_texts(stored["skus"]),
        category_ids=_texts(stored["categoryIds"]),
        pick=stored["pick"],
        value_minor=stored["value"],
        add_on_minor=stored["addOn"],
        excludes_owned=stored["excludesOwned"],
    )


def _zone_as_json(zone: GiftZone) -> dict[str, Any]:
    return {
        "skus": zone.skus,
        "categoryIds": zone.category_ids,
        "pick": zone.pick,
        "value": zone.value_minor,
        "addOn": zone.add_on_minor,
        "excludesOwned": zone.excludes_owned,
    }


def _texts(stored: list[str] | None) -> tuple[str, ...] | None:
    return None if stored is None else tuple(stored)
