"""Coupon templates, and coupons given from them: on joining, and to named cards.

Source: docs/rules/coupons.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import IdSource
from kernel.refusals import InvalidInput
from merchants.cards.aliases_sql import is_survivor, read_survivor
from merchants.cards.forgotten_sql import is_forgotten
from merchants.coupons.audiences_sql import read_outsiders
from merchants.coupons.coupons_sql import insert_coupons
from merchants.coupons.templates import (
    ISSUE_CARDS_MAX,
    CouponTemplateState,
    TemplateDraft,
    alliance_share_bps,
    template_problems,
    threshold_warnings,
    validity,
)
from merchants.coupons.templates_sql import (
    Template,
    count_issued,
    insert_template,
    read_issued_per_card,
    read_median_basket,
    read_newcomer_templates,
    read_template,
)
from merchants.port import JoinedMerchant, JoinMerchant, MerchantState
from merchants.refusals import MerchantNotActive, NotAMember, NotInAudience, QuotaExhausted
from merchants.registry_sql import (
    insert_membership,
    read_member_cards,
    read_membership,
    read_state,
    write_joining_coupons,
)
from merchants.stored import load
from merchants.tables import NEVER


def require_active(connection: Connection, merchant_id: str) -> None:
    """Refuses unless the merchant may make and issue things now.

    Raises:
        MerchantNotActive: it is suspended, winding down, gone, or not known here.
    """
    if read_state(connection, merchant_id) != MerchantState.ACTIVE:
        raise MerchantNotActive(merchant_id)


def create_template(
    connection: Connection,
    draft: TemplateDraft,
    *,
    merchant_id: str,
    now: datetime,
    ids: IdSource,
    may_spend_alliance_money: bool,
) -> tuple[str, list[str]]:
    """Id of the new template, and doubts for people.

    Raises:
        InvalidInput: the draft has faults; all of them are told.
        MerchantNotActive: the merchant may not.
    """
    require_active(connection, merchant_id)
    problems = template_problems(draft, now=now, may_spend_alliance_money=may_spend_alliance_money)
    if problems:
        raise InvalidInput(problems)
    terms = replace(draft.terms, funder_alliance_bps=alliance_share_bps(draft))
    draft = replace(draft, terms=terms)
    template_id = ids.new_within("tpl", merchant_id)
    insert_template(
        connection,
        draft,
        merchant_id=merchant_id,
        template_id=template_id,
        created_at=to_micros(now),
    )
    median = read_median_basket(connection, merchant_id)
    return template_id, threshold_warnings(draft.terms, median_basket_minor=median)


def issue_to_cards(
    connection: Connection,
    template: Template,
    card_ids: Sequence[str],
    *,
    now: datetime,
    zone: ZoneInfo,
    ids: IdSource,
) -> list[str]:
    """One coupon for each card, in their order; all or none.

    Raises:
        MerchantNotActive: the merchant may not issue.
        InvalidInput: no cards, too many, one twice, or the template can not be issued now.
        NotAMember: some cards have not joined.
        NotInAudience: the template is not for some of them.
        QuotaExhausted: the template's quotas do not cover all of them.
    """
    require_active(connection, template.merchant_id)
    card_ids = [
        read_survivor(connection, template.merchant_id, card_id) or card_id for card_id in card_ids
    ]
    _check_issue(template, card_ids, now)
    members = read_member_cards(connection, template.merchant_id, card_ids)
    strangers = [card_id for card_id in card_ids if card_id not in members]
    if strangers:
        raise NotAMember(strangers)
    outsiders = read_outsiders(
        connection,
        template.draft.life.audience,
        merchant_id=template.merchant_id,
        card_ids=card_ids,
        now=now,
        zone=zone,
    )
    if outsiders:
        raise NotInAudience(outsiders)
    _take_quota(connection, template, card_ids)
    return _issue(connection, template, card_ids, now=now, ids=ids)


def join_merchant(
    connection: Connection, join: JoinMerchant, *, alliance_merchant_id: str, ids: IdSource
) -> JoinedMerchant:
    """The card has a wallet at the merchant, and newcomer coupons as far as quotas go.

    Of a member who was erased while the call was under way the membership is kept, and no more.

    Raises:
        MerchantNotActive: the merchant takes nobody in now.
        InvalidInput: the membership is another card's, or the card has another one.
    """
    key = {"merchant_id": join.merchant_id, "card_id": join.card_id}
    before = read_membership(connection, **key)
    if before is not None:
        if before.membership_id != join.membership_id and not is_survivor(
            connection, join.merchant_id, join.card_id
        ):
            raise InvalidInput.at(
                "membershipId", "must be the membership with which the card joined"
            )
        return JoinedMerchant(replayed=True, coupon_ids=tuple(load(before.coupon_ids)))
    require_active(connection, join.merchant_id)
    values = {
        **key,
        "membership_id": join.membership_id,
        "store_id": join.store_id,
        "joined_at": to_micros(join.at),
    }
    if not insert_membership(connection, values):
        raise InvalidInput.at("membershipId", "must be the membership of this card")
    coupon_ids: list[str] = []
    # The alliance welcomes a person once; a merchant welcomes whoever joins it.
    if join.merchant_id != alliance_merchant_id or join.is_new_member:
        for template in read_newcomer_templates(connection, join.merchant_id):
            coupon_id = issue_if_room(connection, template, join.card_id, now=join.at, ids=ids)
            coupon_ids += [] if coupon_id is None else [coupon_id]
    write_joining_coupons(connection, coupon_ids=coupon_ids, **key)
    return JoinedMerchant(replayed=False, coupon_ids=tuple(coupon_ids))


def _check_issue(template: Template, card_ids: Sequence[str], now: datetime) -> None:
    problems = []
    if not 1 <= len(card_ids) <= ISSUE_CARDS_MAX:
        problems.append(["cardIds", f"must name 1 to {ISSUE_CARDS_MAX} cards"])
    elif len(set(card_ids)) < len(card_ids):
        problems.append(["cardIds", "must name each card once"])
    fault = _fault_now(template, now)
    if fault is not None:
        problems.append(["templateId", fault])
    if problems:
        raise InvalidInput(problems)


def _fault_now(template: Template, now: datetime) -> str | None:
    if template.state is not CouponTemplateState.ACTIVE:
        return "The template is not active."
    span = validity(template.draft, now)
    if span.end is not None and span.end <= span.start:
        return "Its coupons would be over before they begin."
    return None


def _take_quota(connection: Connection, template: Template, card_ids: Sequence[str]) -> None:
    """Counts a coupon for each card as issued.

    The count comes first: from then on nobody else issues from the template, so that what the
    cards have is exact however many issue at once.

    Raises:
        QuotaExhausted: the quotas do not cover all of them; what was counted is to be undone.
    """
    key = {"merchant_id": template.merchant_id, "template_id": template.template_id}
    has_room = count_issued(connection, count=len(card_ids), **key)
    at_limit = cards_at_limit(connection, template, card_ids)
    if has_room and not at_limit:
        return
    counted = read_template(connection, **key)
    total = template.draft.quota_total
    issued = 0 if counted is None else counted.issued - (len(card_ids) if has_room else 0)
    raise QuotaExhausted(2**53 - 1 if total is None else total - issued, at_limit)


def cards_at_limit(
    connection: Connection, template: Template, card_ids: Sequence[str]
) -> list[str]:
    """Those of the cards that have their share of the template already."""
    given = read_issued_per_card(
        connection,
        merchant_id=template.merchant_id,
        template_id=template.template_id,
        card_ids=card_ids,
    )
    per_member = template.draft.quota_per_member
    return [card_id for card_id in card_ids if given.get(card_id, 0) >= per_member]


def issue_if_room(
    connection: Connection, template: Template, card_id: str, *, now: datetime, ids: IdSource
) -> str | None:
    """The card's new coupon; None when quotas, state or time leave none to give.

    An erased member's card gets none. Source: docs/rules/identity.md, rule 16.
    """
    key = {"merchant_id": template.merchant_id, "template_id": template.template_id}
    if is_forgotten(connection, template.merchant_id, card_id):
        return None
    if _fault_now(template, now) is not None or not count_issued(connection, count=1, **key):
        return None
    if cards_at_limit(connection, template, [card_id]):
        count_issued(connection, count=-1, **key)
        return None
    [coupon_id] = _issue(connection, template, [card_id], now=now, ids=ids)
    return coupon_id


def _issue(
    connection: Connection,
    template: Template,
    card_ids: Sequence[str],
    *,
    now: datetime,
    ids: IdSource,
) -> list[str]:
    span = validity(template.draft, now)
    coupon_ids = [ids.new_within("cpn", template.merchant_id) for _ in card_ids]
    insert_coupons(
        connection,
        [
            {
                "merchant_id": template.merchant_id,
                "coupon_id": coupon_id,
                "template_id": template.template_id,
                "card_id": card_id,
                "code": coupon_code(coupon_id),
                "valid_from": to_micros(span.start),
                "valid_until": NEVER if span.end is None else to_micros(span.end),
                "issued_at": to_micros(now),
            }
            for coupon_id, card_id in zip(coupon_ids, card_ids, strict=True)
        ],
    )
    return coupon_ids


def coupon_code(coupon_id: str) -> str:
    """What staff or a scanner reads: the 60 random bits that end the coupon's id."""
    tail = coupon_id[-12:].upper()
    return f"{tail[:4]}-{tail[4:8]}-{tail[8:]}"
