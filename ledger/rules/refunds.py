"""What a refund does: returns what was spent, takes back what was earned. Pure."""

from __future__ import annotations

from dataclasses import replace

from kernel.units import reversed_share
from ledger.contract import ApplyRefund, DebtPolicy, RefundReceipt
from ledger.rules.decisions import alliance_share
from ledger.rules.draft import CardChange, Draft
from ledger.rules.lots import is_expired, parts_covering
from ledger.rules.settlement import coupon_legs, return_legs
from ledger.rules.state import Asset, Burn, CardEntryKind, OrderState, Part, SettlementKind, State

GRACE_DAYS = 30
_DAY = 24 * 60 * 60 * 1_000_000


def apply_refund(
    state: State, request: ApplyRefund, *, debt_policy: DebtPolicy, now: int
) -> tuple[Draft, RefundReceipt]:
    """Books a refund: returns, repays open debts, claws back, takes back coupon money.

    Every part is cumulative over the order's refunds, so that they sum to the whole whatever
    their number, and no order gives back more than it took.

    Args:
        state: `order` is set; `lots` cover those it burned and what is to be clawed back.

    Source: docs/rules/points.md, rules 6 to 8; docs/rules/settlement.md, rules 4 to 6.
    """
    draft = Draft(state, now)
    points = _return(draft, Asset.POINTS, request.points_returned)
    coins = _return(draft, Asset.COINS, request.coins_returned_minor)
    repaid = draft.repay_debts()
    found, missing = _claw_back(draft, request.points_kept)
    owed = missing if debt_policy is DebtPolicy.DEBT else 0
    order = _refunded(draft)
    if owed:
        draft.owe(order, owed)
    if found or owed:
        change = CardChange(CardEntryKind.CLAW_BACK, Asset.POINTS, -found, owed=-owed)
        draft.changes.append(change)
    _take_back_coupons(draft, order, alliance_share(request.redemptions_returned))
    return draft, RefundReceipt(
        order_id=order.order_id,
        points_clawed_back=found + owed,
        debt_created=owed,
        points_shortfall=missing - owed,
        points_returned=points,
        coins_returned_minor=coins,
        debt_repaid=repaid,
        shortfall_before=_given_up(state),
    )


def points_to_take_back(order: OrderState, points_kept: int) -> int:
    """Earned points that a refund takes back beside those that earlier ones did."""
    return max(0, order.earned - max(0, points_kept) - order.reversed)


def _given_up(state: State) -> int:
    """Points of the order that earlier refunds neither found nor made a debt."""
    order = state.order
    assert order is not None
    owed = sum(debt.open for debt in state.debts if debt.order.order_id == order.order_id)
    return order.reversed - order.recovered - owed


def _refunded(draft: Draft) -> OrderState:
    assert draft.state.order is not None
    return draft.order(draft.state.order)


def _return(draft: Draft, asset: Asset, asked: int) -> int:
    """Gives back spent units to the lots they came from; what came back."""
    order = _refunded(draft)
    is_points = asset is Asset.POINTS
    spending = order.points if is_points else order.coins
    asked = min(asked, spending.asked - spending.returned)
    if asked <= 0:
        return 0
    returned = spending.returned + asked
    in_total = reversed_share(spending.burned, part=returned, of_whole=spending.asked)
    restored = in_total - spending.restored
    if restored:
        kind = SettlementKind.RETURN if is_points else SettlementKind.COINS_RETURN
        legs = return_legs(
            order.merchant_id,
            kind=kind,
            spending=spending,
            restored_now=restored,
            refunded_minor=_put_back(draft, asset, restored),
            points=restored if is_points else 0,
        )
        draft.post(legs, rule_version=order.rule_version, order_no=order.order_no)
        entry_kind = CardEntryKind.RETURN if is_points else CardEntryKind.COINS_RETURNED
        draft.changes.append(CardChange(entry_kind, asset, restored))
    after = replace(spending, returned=returned, restored=in_total)
    draft.orders[order.order_id] = (
        replace(order, points=after) if is_points else replace(order, coins=after)
    )
    return restored


def _put_back(draft: Draft, asset: Asset, wanted: int) -> int:
    """Refills the lots that were burned last first; the funding that the pool takes back."""
    funding = 0
    for burn in reversed(draft.state.burns):
        amount = min(wanted, burn.amount - burn.returned)
        if burn.asset is not asset or amount == 0:
            continue
        if is_expired(draft.lots[burn.lot_id], draft.now):
            funding += _make_grace_lot(draft, burn, amount)
        else:
            funding += draft.refill(Part(burn.lot_id, amount))
        draft.burns.append(replace(burn, returned=burn.returned + amount))
        wanted -= amount
    assert wanted == 0
    return funding


def _make_grace_lot(draft: Draft, burn: Burn, amount: int) -> int:
    """A lot of 30 days in place of one that expired, with the funding that the part had."""
    funding = burn.funding_minor * (burn.returned + amount) // burn.amount
    funding -= burn.funding_minor * burn.returned // burn.amount
    expired = draft.lots[burn.lot_id]
    draft.make_lot(
        burn.asset,
        amount,
        issuer_id=expired.issuer_id,
        funding_minor=funding,
        active_at=min(expired.active_at, draft.now),
        expires_at=draft.now + GRACE_DAYS * _DAY,
    )
    return funding


def _claw_back(draft: Draft, points_kept: int) -> tuple[int, int]:
    """Takes earned points back: from their own lot, then from others; what was found, missed."""
    order = _refunded(draft)
    wanted = points_to_take_back(order, points_kept)
    if wanted == 0:
        return 0, 0
    free = draft.free_lots(Asset.POINTS)
    own_first = [lot for lot in free if lot.id == order.lot_id]
    own_first += [lot for lot in free if lot.id != order.lot_id]
    parts = parts_covering(wanted, own_first)
    draft.orders[order.order_id] = replace(order, reversed=order.reversed + wanted)
    found = sum(part.amount for part in parts)
    if found:
        draft.recover(order, parts, SettlementKind.CLAW_BACK)
    return found, wanted - found


def _take_back_coupons(draft: Draft, order: OrderState, share_minor: int) -> None:
    share_minor = min(share_minor, order.coupon_minor - order.coupon_returned_minor)
    if share_minor <= 0:
        return
    legs = coupon_legs(order.merchant_id, -share_minor)
    draft.post(legs, rule_version=order.rule_version, order_no=order.order_no)
    returned = order.coupon_returned_minor + share_minor
    draft.orders[order.order_id] = replace(order, coupon_returned_minor=returned)
