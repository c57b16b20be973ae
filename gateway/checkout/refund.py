"""Refunds orders. The backend's refund is the commit point. See docs/rules/checkout.md, rule 13."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout import applied_sql
from gateway.checkout.booking import book_refund
from gateway.checkout.carts import (
    Amount,
    Problems,
    RefundLineAsked,
    number_problems,
    refund_problems,
    refuse_if,
)
from gateway.checkout.desk import UNANSWERED, Desk
from gateway.checkout.events import catch_up, outbox_of
from kernel.callers import Caller
from kernel.ids import MalformedId, derived_id, merchant_of, prefix_of
from kernel.refusals import InvalidInput, NotFound, Refusal, RequestInProgress
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey
from ledger.contract import ApplyRefund, DebtPolicy, OrderUnknown, RefundReceipt
from merchants.offers import KeptBack, KeptBackReason
from merchants.port import Event, OrderFacts, Refunded, RefundLine, RefundOrder, RefundTerms


@dataclass(frozen=True, slots=True)
class RefundAsked:
    """Asks to refund lines of an order, or an amount, not both."""

    request_id: str
    order_id: str
    refund_no: str
    lines: tuple[RefundLineAsked, ...] | None = None
    amount: Amount | None = None


@dataclass(frozen=True, slots=True)
class RefundFigures:
    """What a refund does, or would do.

    Attributes:
        cash_minor: cash to hand back.
        points_clawed_back: earned points taken back, debt included.
        debt_created: part of `points_clawed_back` that the member owes.
        coupon_outcome: name of a `CouponOutcome`.
        kept_back: what is kept back, which the other figures leave out.
    """

    cash_minor: int
    points_returned: int
    coins_returned_minor: int
    points_clawed_back: int
    debt_created: int
    coupon_outcome: str
    kept_back: KeptBack = KeptBack()


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    """The refund stands; its figures never change."""

    refund_id: str
    refund_no: str
    order_id: str
    merchant_id: str
    card_id: str | None
    figures: RefundFigures
    replayed: bool


async def refund(desk: Desk, caller: Caller, asked: RefundAsked) -> OrderRefunded:
    """Refunds an order, whatever became of its member or merchant since.

    Raises:
        RefundExceedsOrder: more than the order still holds.
        RefundConflict: the order has another refund under this number.
        NotFound: no such order for this caller.
        InvalidInput: the input is beyond its limits.
        RequestInProgress: it is in work, or somebody needed did not answer; repeat it.
        RequestIdReused: the request id came with another input.
    """
    key = request_key(caller, "refundOrder", asked)
    answer = await desk.running.once(key, lambda: _refund(desk, caller, asked, key))
    outcome = answer.success()
    return OrderRefunded(
        **{**outcome, "figures": _figures_from(outcome["figures"])}, replayed=answer.replayed
    )


async def preview(
    desk: Desk,
    caller: Caller,
    order_id: str,
    *,
    lines: tuple[RefundLineAsked, ...] | None,
    amount: Amount | None,
) -> RefundFigures:
    """What a refund would do; nothing is written.

    Raises:
        RefundExceedsOrder: more than the order still holds.
        NotFound: no such order for this caller, or its sale is not booked yet.
        InvalidInput: the input is beyond its limits.
    """
    currency = desk.settings.current.values.currency
    refuse_if(refund_problems(lines, amount, currency=currency))
    merchant_id = await _merchant_of_order(desk, caller, order_id)
    [order] = await desk.backend.orders([(merchant_id, order_id)])
    if order is None:
        raise NotFound(id=order_id)
    terms = await desk.backend.refund_terms(
        RefundOrder(merchant_id, order_id, None, _lines(lines), _amount_minor(amount))
    )
    if order.card_id is None:
        return figures_of(desk, terms, None)
    request = _preview_of(order, terms, at=desk.clock.now())
    try:
        receipt = await desk.ledger.preview_refund(request)
    except OrderUnknown as error:
        raise NotFound(id=order_id) from error
    return figures_of(desk, terms, receipt)


def _preview_of(order: OrderFacts, terms: RefundTerms, *, at: datetime) -> ApplyRefund:
    return ApplyRefund(
        order_id=order.id,
        refund_no="",
        merchant_id=order.merchant_id,
        card_id=order.card_id,
        points_returned=terms.points_returned,
        coins_returned_minor=terms.coins_returned_minor,
        points_kept=terms.points_kept,
        at=at,
    )


def figures_of(desk: Desk, terms: RefundTerms, receipt: RefundReceipt | None) -> RefundFigures:
    """What the backend and the ledger say together; `receipt` None for an anonymous buyer."""
    if receipt is None:
        return RefundFigures(terms.cash_minor, 0, 0, 0, 0, terms.coupon_outcome, terms.kept_back)
    settings = desk.settings.current.values
    kept_minor = 0
    if settings.debt_policy is DebtPolicy.DEDUCT_FROM_REFUND_CASH:
        # Cumulative, so that a refund in slices keeps what one refund keeps.
        value, before = settings.member_point_value, receipt.shortfall_before
        kept_minor = value.floor(before + receipt.points_shortfall) - value.floor(before)
    return RefundFigures(
        cash_minor=max(0, terms.cash_minor - kept_minor),
        points_returned=receipt.points_returned,
        coins_returned_minor=receipt.coins_returned_minor,
        points_clawed_back=receipt.points_clawed_back,
        debt_created=receipt.debt_created,
        coupon_outcome=terms.coupon_outcome,
        kept_back=terms.kept_back,
    )


async def _refund(desk: Desk, caller: Caller, asked: RefundAsked, key: RequestKey) -> Answer:
    currency = desk.settings.current.values.currency
    problems = number_problems("refundNo", asked.refund_no)
    problems += refund_problems(asked.lines, asked.amount, currency=currency)
    begun = await _claim(desk, key, problems)
    if begun is not None:
        return begun
    desk.reach("refund.begun")
    try:
        merchant_id = await _merchant_of_order(desk, caller, asked.order_id)
        refunded = await desk.backend.refund(
            RefundOrder(
                merchant_id,
                asked.order_id,
                asked.refund_no,
                _lines(asked.lines),
                _amount_minor(asked.amount),
            )
        )
        desk.reach("refund.placed")
        receipt = await _book(desk, refunded)
    except UNANSWERED as error:
        raise RequestInProgress from error
    except Refusal as refusal:
        if refusal.retryable:
            raise
        return await _settle(desk, key, refusal.as_json(), event=None)
    outcome = _outcome(asked, refunded, figures_of(desk, refunded.terms, receipt))
    answer = await _settle(desk, key, outcome, event=refunded.event)
    desk.reach("refund.settled")
    return answer


async def _claim(desk: Desk, key: RequestKey, problems: Problems) -> Answer | None:
    now, owner = desk.clock.now(), desk.running.process

    def work(connection: Connection) -> Answer | None:
        answer = REQUESTS.claim(connection, key, now=now, owner=owner)
        if answer is not None or not problems:
            return answer
        outcome = InvalidInput(problems).as_json()
        REQUESTS.settle(connection, key, outcome)
        return Answer(outcome, replayed=False)

    return await desk.database.transaction(work)


async def _book(desk: Desk, refunded: Refunded) -> RefundReceipt | None:
    try:
        return await book_refund(desk, refunded.event)
    except OrderUnknown:
        # The sale was cut off before it was booked; its event waits in the outbox.
        await catch_up(desk, refunded.event)
    try:
        return await book_refund(desk, refunded.event)
    except OrderUnknown as error:
        raise RequestInProgress from error


async def _settle(
    desk: Desk, key: RequestKey, outcome: dict[str, Any], *, event: Event | None
) -> Answer:
    def work(connection: Connection) -> None:
        if event is not None:
            applied_sql.note_applied(connection, outbox_of(desk, event.merchant_id).name, event)
        REQUESTS.settle(connection, key, outcome)

    await desk.database.transaction(work)
    return Answer(outcome, replayed=False)


def _outcome(asked: RefundAsked, refunded: Refunded, figures: RefundFigures) -> dict[str, Any]:
    return {
        "refund_id": derived_id("rfd", asked.order_id, asked.refund_no),
        "refund_no": asked.refund_no,
        "order_id": refunded.order.id,
        "merchant_id": refunded.order.merchant_id,
        "card_id": refunded.order.card_id,
        "figures": {
            "cash_minor": figures.cash_minor,
            "points_returned": figures.points_returned,
            "coins_returned_minor": figures.coins_returned_minor,
            "points_clawed_back": figures.points_clawed_back,
            "debt_created": figures.debt_created,
            "coupon_outcome": figures.coupon_outcome,
            "kept_back": asdict(figures.kept_back),
        },
    }


def _figures_from(stored: dict[str, Any]) -> RefundFigures:
    """Figures as an answer keeps them; older ones do not tell what is kept back."""
    kept = dict(stored.get("kept_back") or {})
    reasons = tuple(KeptBackReason(each) for each in kept.pop("reasons", ()))
    return RefundFigures(**{**stored, "kept_back": KeptBack(**kept, reasons=reasons)})


async def _merchant_of_order(desk: Desk, caller: Caller, order_id: str) -> str:
    """The merchant whose order it is, when the caller may touch it.

    Raises:
        NotFound: there is no such order for this caller.

    Source: docs/rules/checkout.md, rule 11.
    """
    try:
        merchant_id = merchant_of(order_id)
    except MalformedId as error:
        raise NotFound(id=order_id) from error
    is_known = desk.directory.merchant(merchant_id) is not None
    if prefix_of(order_id) != "ord" or not is_known or not caller.may_act_for(merchant_id):
        raise NotFound(id=order_id)
    if caller.store_id is not None:
        [order] = await desk.backend.orders([(merchant_id, order_id)])
        if order is None or order.store_id != caller.store_id:
            raise NotFound(id=order_id)
    return merchant_id


def _lines(lines: tuple[RefundLineAsked, ...] | None) -> tuple[RefundLine, ...]:
    return tuple(RefundLine(line.line_index, line.quantity) for line in lines or ())


def _amount_minor(amount: Amount | None) -> int | None:
    return None if amount is None else amount.amount_minor
