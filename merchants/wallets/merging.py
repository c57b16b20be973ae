"""Two cards become one at a merchant: coupons, orders and figures move to the card that stays.

One transaction, known by the merge. See docs/rules/merging.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.refusals import InvalidInput
from merchants.cards import aliases_sql
from merchants.coupons import coupons_sql
from merchants.coupons.templates import CouponState
from merchants.ladders.evaluating import Evaluator
from merchants.port import MergeWallets, WalletsMerged
from merchants.registry_sql import read_membership
from merchants.wallets import merging_sql
from merchants.wallets.given_sql import read_given, write_given
from merchants.wallets.merging_sql import KeptMerge, WalletCoupon
from merchants.wallets.uniting_paid import refunds_minor
from merchants.wallets.uniting_tiers import part_tiers, unite_tiers

_WAITING = (CouponState.ISSUED, CouponState.LOCKED)


class OfCard(Protocol):
    """A request about a card at a merchant."""

    @property
    def merchant_id(self) -> str:
        """The merchant."""
        ...

    @property
    def card_id(self) -> str | None:
        """The card, by any id it ever had; None for an anonymous buyer."""
        ...


RequestT = TypeVar("RequestT", bound=OfCard)


@dataclass(frozen=True, slots=True)
class CouponPlan:
    """What becomes of the coupons of two cards.

    Attributes:
        moved: the merged card's coupons that can still be used, and change hands.
        voided: welcomes that one person does not get twice, of either card.
    """

    moved: tuple[str, ...]
    voided: tuple[str, ...]


def plan_coupons(
    survivors: Iterable[WalletCoupon], merged: Iterable[WalletCoupon], *, now: int
) -> CouponPlan:
    """What becomes of the coupons; a person is welcomed once. Pure.

    A welcome that one card used voids the other's unused ones. Of unused welcomes, a template
    leaves as many as it gives one member, the survivor's first.

    Source: docs/rules/merging.md, rule 5.
    """
    ours, theirs = list(survivors), list(merged)
    voided: list[str] = []
    if _used_welcome(ours):
        voided += _unused_welcomes(theirs)
    if _used_welcome(theirs):
        voided += _unused_welcomes(ours)
    left_by_template: dict[str, int] = {}
    for coupon in [*ours, *theirs]:
        if not coupon.is_welcome or coupon.coupon_id in voided:
            continue
        left = left_by_template.setdefault(coupon.template_id, coupon.quota_per_member)
        if left > 0:
            left_by_template[coupon.template_id] = left - 1
        elif coupon.state is CouponState.ISSUED:
            voided.append(coupon.coupon_id)
    moved = [
        coupon.coupon_id
        for coupon in theirs
        if coupon.state in _WAITING and coupon.valid_until > now and coupon.coupon_id not in voided
    ]
    return CouponPlan(tuple(moved), tuple(voided))


def merge_wallets(
    connection: Connection, request: MergeWallets, *, now: datetime, evaluator: Evaluator
) -> WalletsMerged:
    """The two wallets are one, now or before; or what that would do.

    Raises:
        InvalidInput: both names are of the same card.
    """
    if request.survivor_card_id == request.merged_card_id:
        raise InvalidInput.at("mergedCardId", "must be another card than the one that stays")
    kept = merging_sql.read_merge(connection, request.merchant_id, request.merge_id)
    if kept is not None:
        return WalletsMerged(replayed=True, coupons_moved=kept.coupons_moved)
    plan = plan_coupons(
        merging_sql.read_wallet(connection, request.merchant_id, request.survivor_card_id),
        merging_sql.read_wallet(connection, request.merchant_id, request.merged_card_id),
        now=to_micros(now),
    )
    moved = len(plan.moved)
    if request.dry_run:
        cards = (request.survivor_card_id, request.merged_card_id)
        refunds = refunds_minor(connection, request.merchant_id, cards, now=now)
        return WalletsMerged(replayed=False, coupons_moved=moved, paid_refunds_minor=refunds)
    _move(connection, request, plan, now=now, evaluator=evaluator)
    return WalletsMerged(replayed=False, coupons_moved=moved)


def unmerge_wallets(
    connection: Connection, request: MergeWallets, *, now: datetime, evaluator: Evaluator
) -> WalletsMerged:
    """The two wallets as they were, with what has become of each thing since."""
    key = (request.merchant_id, request.merge_id)
    kept = merging_sql.read_merge(connection, *key)
    if kept is None or kept.is_undone:
        return WalletsMerged(replayed=True, coupons_moved=0)
    merging_sql.write_card(
        connection,
        request.merchant_id,
        card_id=request.merged_card_id,
        coupon_ids=kept.coupon_ids,
        order_ids=kept.order_ids,
        membership_id=request.merged_membership_id,
    )
    write_given(
        connection,
        request.merchant_id,
        kept.given,
        before=request.survivor_card_id,
        after=request.merged_card_id,
    )
    merging_sql.restore_coupons(connection, request.merchant_id, kept.voided_ids)
    merging_sql.restore_membership(connection, request.merchant_id, kept)
    for card_id in (request.survivor_card_id, request.merged_card_id):
        merging_sql.recount(connection, request.merchant_id, card_id)
    aliases_sql.forget_alias(connection, request.merchant_id, request.merged_card_id)
    merging_sql.mark_undone(connection, *key)
    part_tiers(
        connection,
        request.merchant_id,
        survivor_card_id=request.survivor_card_id,
        merged_card_id=request.merged_card_id,
        merge_id=request.merge_id,
        now=now,
        evaluator=evaluator,
        paid=kept.paid,
    )
    return WalletsMerged(replayed=False, coupons_moved=len(kept.coupon_ids))


def for_survivor(connection: Connection, request: RequestT) -> RequestT:
    """The request, about the card that its card id means now."""
    if request.card_id is None:
        return request
    survivor = aliases_sql.read_survivor(connection, request.merchant_id, request.card_id)
    return request if survivor is None else replace(request, card_id=survivor)  # type: ignore[type-var]


def _used_welcome(coupons: Iterable[WalletCoupon]) -> bool:
    taken = (CouponState.REDEEMED, CouponState.LOCKED)
    return any(coupon.is_welcome and coupon.state in taken for coupon in coupons)


def _unused_welcomes(coupons: Iterable[WalletCoupon]) -> list[str]:
    return [
        coupon.coupon_id
        for coupon in coupons
        if coupon.is_welcome and coupon.state is CouponState.ISSUED
    ]


def _move(
    connection: Connection,
    request: MergeWallets,
    plan: CouponPlan,
    *,
    now: datetime,
    evaluator: Evaluator,
) -> None:
    merchant_id, merged = request.merchant_id, request.merged_card_id
    survivor = request.survivor_card_id
    coupon_ids = coupons_sql.read_coupon_ids(connection, merchant_id, merged)
    order_ids = merging_sql.read_order_ids(connection, merchant_id, merged)
    before = read_membership(connection, merchant_id=merchant_id, card_id=merged)
    stays = read_membership(connection, merchant_id=merchant_id, card_id=survivor) is not None
    merging_sql.void_coupons(connection, merchant_id, plan.voided)
    merging_sql.write_card(
        connection,
        merchant_id,
        card_id=survivor,
        coupon_ids=coupon_ids,
        order_ids=order_ids,
        membership_id=request.survivor_membership_id or request.merged_membership_id,
    )
    given = read_given(connection, merchant_id, before=merged, after=survivor)
    write_given(connection, merchant_id, given, before=merged, after=survivor)
    removed = merging_sql.move_membership(
        connection, merchant_id, before=merged, after=None if stays else survivor
    )
    for card_id in (survivor, merged):
        merging_sql.recount(connection, merchant_id, card_id)
    aliases_sql.keep_alias(
        connection, merchant_id, card_id=merged, survivor_id=survivor, merge_id=request.merge_id
    )
    paid = unite_tiers(
        connection,
        merchant_id,
        survivor_card_id=survivor,
        merged_card_id=merged,
        merge_id=request.merge_id,
        now=now,
        evaluator=evaluator,
    )
    merging_sql.insert_merge(
        connection,
        merchant_id,
        request.merge_id,
        KeptMerge(
            survivor_card_id=survivor,
            merged_card_id=merged,
            coupons_moved=len(plan.moved),
            coupon_ids=coupon_ids,
            voided_ids=plan.voided,
            order_ids=order_ids,
            membership=removed,
            membership_moved=before is not None and not stays,
            is_undone=False,
            given=given,
            paid=paid,
        ),
    )
