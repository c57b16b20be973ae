"""What a hold, a release, an order and a grant do. Pure: a state in, a draft and a receipt out.

What a refund does is in `ledger/rules/refunds.py`.
"""

from __future__ import annotations

from typing import Final

from kernel.units import share_bp
from ledger.contract import (
    CaptureOrder,
    CoinsReceipt,
    CouponRedemption,
    DebtOpen,
    FundsHeld,
    FundsReleased,
    GrantCoins,
    GrantOverBudget,
    HoldFunds,
    InsufficientCoins,
    InsufficientPoints,
    OrderReceipt,
    ReleaseFunds,
)
from ledger.rules.draft import CardChange, Draft
from ledger.rules.lots import first_to_expire, is_spendable, parts_covering, with_units
from ledger.rules.settlement import (
    Pay,
    burn_legs,
    coupon_legs,
    issue_fee,
    issue_legs,
    pay_for_coins,
    pay_for_points,
)
from ledger.rules.state import (
    ALLIANCE,
    COINS,
    POINTS,
    Asset,
    Burn,
    CardEntryKind,
    OrderState,
    Part,
    SettlementKind,
    Spending,
    State,
)

_EARN: Final = CardEntryKind.EARN
_BURN: Final = CardEntryKind.BURN
_COINS_SPENT: Final = CardEntryKind.COINS_SPENT
_ISSUED: Final = SettlementKind.ISSUE
_POINTS_PAID: Final = SettlementKind.BURN
_COINS_PAID: Final = SettlementKind.COINS_BURN
_NOTHING_SPENT: Final = Spending()


def hold_funds(
    state: State, request: HoldFunds, *, now: int
) -> tuple[Draft, list[Part], FundsHeld]:
    """Sets points and coins aside, all or nothing, from the lots that expire first.

    Args:
        state: `lots` cover what is asked, or are all that can be spent.

    Raises:
        DebtOpen: points are asked for while points are owed.
        InsufficientPoints: fewer points are spendable.
        InsufficientCoins: fewer coins are spendable.

    Source: docs/rules/points.md, rules 3 and 4.
    """
    assert request.points >= 0
    assert request.coins_minor >= 0
    if request.points and state.debts:
        raise DebtOpen(sum(debt.open for debt in state.debts))
    draft = Draft(state, now)
    points = spendable_parts(draft, POINTS, request.points)
    coins = spendable_parts(draft, COINS, request.coins_minor)
    if (available := sum(part.amount for part in points)) < request.points:
        raise InsufficientPoints(available=available, requested=request.points)
    if (available := sum(part.amount for part in coins)) < request.coins_minor:
        raise InsufficientCoins(available_coins=available, requested_coins=request.coins_minor)
    draft.hold(points + coins)
    receipt = FundsHeld(request.attempt_id, request.points, request.coins_minor)
    return draft, points + coins, receipt


def release_funds(state: State, request: ReleaseFunds, *, now: int) -> tuple[Draft, FundsReleased]:
    """Frees what an attempt holds; freed units expire if they are due, and repay open debts.

    Source: docs/rules/points.md, rules 4, 8 and 10.
    """
    draft = Draft(state, now)
    draft.unhold(state.held)
    points, coins = (held_units(state, asset) for asset in (POINTS, COINS))
    draft.expire_freed()
    draft.repay_debts()
    return draft, FundsReleased(request.attempt_id, points, coins)


def capture_order(
    state: State, request: CaptureOrder, *, active_at: int, expires_at: int, now: int
) -> tuple[Draft, OrderReceipt]:
    """Books a paid order: frees its hold, burns, expires, earns, repays debts, shares coupons.

    Args:
        state: `lots` hold those of the attempt, and spendable ones for what it does not cover.
        expires_at: of the earned points; NEVER when they do not expire.

    Source: docs/rules/points.md, rules 5, 8 and 10; docs/rules/settlement.md, rules 1, 3 and 8.
    """
    assert min(request.points_spent, request.coins_spent_minor, request.points_earned) >= 0
    draft = Draft(state, now)
    draft.unhold(state.held)
    points = _spend(draft, request, POINTS, request.points_spent)
    coins = _spend(draft, request, COINS, request.coins_spent_minor)
    draft.expire_freed()
    fee, lot_id = _earn(draft, request, active_at=active_at, expires_at=expires_at)
    order = OrderState(
        request.order_id,
        request.order_no,
        request.merchant_id,
        request.card_id,
        state.rule.version,
        points,
        coins,
        0 if lot_id is None else request.points_earned,
        fee,
        lot_id,
        coupon_minor=alliance_share(request.redemptions),
    )
    draft.orders[order.order_id] = order
    repaid = draft.repay_debts()
    if order.coupon_minor:
        legs = coupon_legs(order.merchant_id, order.coupon_minor)
        draft.post(legs, rule_version=order.rule_version, order_no=order.order_no)
    return draft, OrderReceipt(
        order_id=order.order_id,
        points_burned=points.burned,
        coins_burned_minor=coins.burned,
        points_absorbed=points.asked - points.burned,
        coins_absorbed_minor=coins.asked - coins.burned,
        points_earned=order.earned,
        debt_repaid=repaid,
    )


def grant_coins(
    state: State,
    request: GrantCoins,
    *,
    active_at: int,
    expires_at: int,
    now: int,
    budget_left_minor: int,
) -> tuple[Draft, CoinsReceipt]:
    """Gives coins to a card; the funder pays their face into the pool, and the issue fee.

    Raises:
        GrantOverBudget: the funder may not grant as much in this period.

    Source: docs/rules/settlement.md, rules 9 and 12.
    """
    assert request.amount_minor > 0
    if request.amount_minor > budget_left_minor:
        raise GrantOverBudget(max(0, budget_left_minor))
    draft = Draft(state, now)
    funder = request.funder_merchant_id or ALLIANCE
    amount = request.amount_minor
    fee = 0 if funder == ALLIANCE else issue_fee(amount, state.rule.terms)
    draft.make_lot(
        COINS,
        amount,
        issuer_id=funder,
        funding_minor=amount,
        active_at=active_at,
        expires_at=expires_at,
    )
    draft.changes.append(CardChange(CardEntryKind.GRANT, COINS, amount))
    legs = issue_legs(
        funder,
        kind=SettlementKind.COINS_ISSUE,
        funding_minor=amount,
        fee_minor=fee,
        points=0,
    )
    draft.post(legs, rule_version=state.rule.version, order_no=None)
    return draft, CoinsReceipt(request.card_id, amount)


def alliance_share(redemptions: tuple[CouponRedemption, ...]) -> int:
    """What the alliance bears of these coupons, minor units, rounded half up per coupon."""
    if not redemptions:
        return 0
    return sum(share_bp(each.amount_minor, each.funder_alliance_bps) for each in redemptions)


def held_units(state: State, asset: Asset) -> int:
    """What the attempt holds of an asset."""
    if not state.held:
        return 0
    asset_by_lot = {lot.id: lot.asset for lot in state.lots}
    return sum(part.amount for part in state.held if asset_by_lot[part.lot_id] is asset)


def spendable_parts(draft: Draft, asset: Asset, wanted: int) -> list[Part]:
    """Free parts that can be spent now, first to expire first, up to `wanted`."""
    now = draft.now
    lots = [
        lot
        for lot in draft.lots.values()
        if lot.asset is asset and lot.active_at <= now < lot.expires_at
    ]
    return parts_covering(wanted, first_to_expire(lots))


def _spend(draft: Draft, request: CaptureOrder, asset: Asset, asked: int) -> Spending:
    if asked == 0:
        return _NOTHING_SPENT
    parts = _parts_to_burn(draft, asset, asked)
    burned = sum(part.amount for part in parts)
    if burned == 0:
        return Spending(asked=asked)
    released = 0
    for part in parts:
        funding = draft.take(part)
        released += funding
        seq = len(draft.burns)
        draft.burns.append(Burn(request.order_id, seq, part.lot_id, asset, part.amount, funding))
    terms = draft.state.rule.terms
    is_points = asset is POINTS
    pay: Pay = pay_for_points(burned, terms) if is_points else pay_for_coins(burned, terms)
    legs = burn_legs(
        request.merchant_id,
        kind=_POINTS_PAID if is_points else _COINS_PAID,
        released_minor=released,
        pay=pay,
        points=burned if is_points else 0,
    )
    draft.post(legs, rule_version=draft.state.rule.version, order_no=request.order_no)
    kind = _BURN if is_points else _COINS_SPENT
    draft.changes.append(CardChange(kind, asset, -burned))
    return Spending(asked, burned, pay.gross_minor, pay.fee_minor)


def _parts_to_burn(draft: Draft, asset: Asset, asked: int) -> list[Part]:
    """The held parts first, whatever became of their lots' dates; then what is spendable."""
    parts: list[Part] = []
    for part in draft.state.held:
        if draft.lots[part.lot_id].asset is asset and asked > 0:
            parts.append(Part(part.lot_id, min(part.amount, asked)))
            asked -= parts[-1].amount
    if asked == 0:
        return parts
    if not parts:
        return spendable_parts(draft, asset, asked)
    taken = {part.lot_id: part.amount for part in parts}
    others = [
        with_units(lot, lot.remaining - taken.get(lot.id, 0), lot.held)
        for lot in draft.lots.values()
        if lot.asset is asset and is_spendable(lot, draft.now)
    ]
    return parts + parts_covering(asked, first_to_expire(others))


def _earn(
    draft: Draft, request: CaptureOrder, *, active_at: int, expires_at: int
) -> tuple[int, int | None]:
    """Issues what the order earned; gives the issuer's fee and the new lot, None without one."""
    earned = request.points_earned
    if earned == 0 or request.card_id is None:
        return 0, None
    rule = draft.state.rule
    funding = rule.terms.issue_price.half_up(earned)
    fee = issue_fee(funding, rule.terms)
    lot = draft.make_lot(
        POINTS,
        earned,
        issuer_id=request.merchant_id,
        funding_minor=funding,
        active_at=active_at,
        expires_at=expires_at,
        order_id=request.order_id,
    )
    draft.changes.append(CardChange(_EARN, POINTS, earned))
    legs = issue_legs(
        request.merchant_id,
        kind=_ISSUED,
        funding_minor=funding,
        fee_minor=fee,
        points=earned,
    )
    draft.post(legs, rule_version=rule.version, order_no=request.order_no)
    return fee, lot.id
