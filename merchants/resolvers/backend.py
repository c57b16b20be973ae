"""The backend contract over GraphQL: each root field is one call of the port."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from kernel.graphql import BadUserInput, Forbidden, Money
from kernel.pages import After, First, PageInfo, page_args
from kernel.pages import encode_cursor as cursor_text
from merchants.context import MerchantsInfo
from merchants.hosted import HostedBackend
from merchants.offers import StockUnits
from merchants.port import (
    JoinMerchant,
    LockCoupons,
    MergeWallets,
    PlaceOrder,
    RecordEvent,
    ReleaseAttempt,
)
from merchants.rights import may_act_for
from merchants.schema import backend_answers as answers
from merchants.schema.backend_events import (
    BackendEvent,
    BackendEventConnection,
    BackendEventEdge,
)
from merchants.schema.backend_inputs import (
    BackendJoinInput,
    BackendLockInput,
    BackendMergeInput,
    BackendPlaceInput,
    BackendPriceInput,
    BackendRecordInput,
    BackendRefundInput,
    BackendReleaseInput,
)
from merchants.schema.backend_values import cart_of, refund_of, require_currency
from merchants.schema.coupons import Coupon
from merchants.schema.orders import Order
from merchants.schema.tiers import TierStanding


async def backend_price(
    info: MerchantsInfo, input: BackendPriceInput
) -> answers.BackendPriceResult | None:
    """A cart's price."""
    backend, currency = _backend(info, input.merchant_id), info.context.currency
    priced = await backend.price(cart_of(input, currency))
    return answers.BackendPriced.of(priced, currency, info.context.language)


async def backend_refund_terms(
    info: MerchantsInfo, input: BackendRefundInput
) -> answers.BackendRefundTermsResult | None:
    """What a refund would do."""
    backend, currency = _backend(info, input.merchant_id), info.context.currency
    terms = await backend.refund_terms(refund_of(input, currency))
    return answers.BackendRefundTerms.of(terms, currency)


async def backend_offers(
    info: MerchantsInfo, merchant_id: strawberry.ID, card_id: strawberry.ID
) -> answers.BackendOffers | None:
    """What the backend brings into a price elsewhere."""
    offered = await _backend(info, merchant_id).offers(merchant_id, card_id)
    return answers.BackendOffers(
        coupons=_coupons([each.coupon_id for each in offered.coupons], merchant_id),
        tiers=[TierStanding.of(each, (merchant_id, card_id)) for each in offered.tiers],
    )


async def backend_events(
    info: MerchantsInfo, merchant_id: strawberry.ID, first: First = 100, after: After = None
) -> BackendEventConnection | None:
    """The outbox."""
    backend, currency = _backend(info, merchant_id), info.context.currency
    page = page_args(first, after, key_length=1)
    seen = int(page.after[0] or 0) if page.after else 0
    events = await backend.events(merchant_id, after=seen, limit=page.limit)
    edges = [
        BackendEventEdge(cursor=cursor_text([event.cursor]), node=BackendEvent.of(event, currency))
        for event in events[: page.first]
    ]
    return BackendEventConnection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=len(events) > page.first,
            has_previous_page=seen > 0,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


async def backend_join(
    info: MerchantsInfo, input: BackendJoinInput
) -> answers.BackendJoinResult | None:
    """A member joined."""
    joined = await _backend(info, input.merchant_id).join(
        JoinMerchant(
            merchant_id=input.merchant_id,
            membership_id=input.membership_id,
            card_id=input.card_id,
            store_id=input.store_id,
            at=input.at,
            is_new_member=input.is_new_member,
        )
    )
    return answers.BackendJoined(
        replayed=joined.replayed, coupons=_coupons(joined.coupon_ids, input.merchant_id)
    )


async def backend_lock(
    info: MerchantsInfo, input: BackendLockInput
) -> answers.BackendLockResult | None:
    """Coupons locked."""
    backend = _backend(info, input.merchant_id)
    if any(each.units < 1 for each in input.stock or ()):
        raise BadUserInput("stock.units must be at least 1.")
    locked = await backend.lock(
        LockCoupons(
            merchant_id=input.merchant_id,
            attempt_id=input.attempt_id,
            store_id=input.store_id,
            card_id=input.card_id,
            coupon_ids=tuple(input.coupon_ids),
            stock=tuple(StockUnits(each.promotion_id, each.units) for each in input.stock or ()),
        )
    )
    return answers.BackendLocked(
        replayed=locked.replayed, coupons=_coupons(locked.coupon_ids, input.merchant_id)
    )


async def backend_place(
    info: MerchantsInfo, input: BackendPlaceInput
) -> answers.BackendPlaceResult | None:
    """The sale booked."""
    backend, currency = _backend(info, input.merchant_id), info.context.currency
    placed = await backend.place(
        PlaceOrder(
            merchant_id=input.merchant_id,
            attempt_id=input.attempt_id,
            order_id=input.order_id,
            order_no=input.order_no,
            cart=cart_of(input.cart, currency),
            version=input.version,
            paid_at=input.paid_at,
        )
    )
    return answers.BackendPlaced(
        replayed=placed.replayed,
        order=_order(placed.order.id, input.merchant_id),
        absorbed=Money.of(placed.absorbed_minor, currency),
    )


async def backend_release(
    info: MerchantsInfo, input: BackendReleaseInput
) -> answers.BackendReleaseResult | None:
    """The attempt closed."""
    released = await _backend(info, input.merchant_id).release(
        ReleaseAttempt(input.merchant_id, input.attempt_id)
    )
    return answers.BackendReleased(
        replayed=released.replayed,
        coupon_ids=[strawberry.ID(each) for each in released.coupon_ids],
    )


async def backend_refund(
    info: MerchantsInfo, input: BackendRefundInput
) -> answers.BackendRefundResult | None:
    """The refund booked."""
    backend, currency = _backend(info, input.merchant_id), info.context.currency
    refunded = await backend.refund(refund_of(input, currency))
    return answers.BackendRefunded(
        replayed=refunded.replayed,
        terms=answers.BackendRefundTerms.of(refunded.terms, currency),
        order=_order(refunded.order.id, input.merchant_id),
    )


async def backend_merge(
    info: MerchantsInfo, input: BackendMergeInput
) -> answers.BackendMergeResult | None:
    """Two wallets made one, or two again."""
    backend = _backend(info, input.merchant_id)
    merge = MergeWallets(
        merchant_id=input.merchant_id,
        merge_id=input.merge_id,
        survivor_card_id=input.survivor_card_id,
        survivor_membership_id=input.survivor_membership_id,
        merged_card_id=input.merged_card_id,
        merged_membership_id=input.merged_membership_id,
        dry_run=input.dry_run,
    )
    merged = await (backend.unmerge(merge) if input.undo else backend.merge(merge))
    return answers.BackendMerged(
        replayed=merged.replayed,
        coupons_moved=merged.coupons_moved,
        paid_refunds=Money.of(merged.paid_refunds_minor, info.context.currency),
        conflicts=[],
    )


async def backend_record(
    info: MerchantsInfo, input: BackendRecordInput
) -> answers.BackendRecordResult | None:
    """Another merchant's event counted."""
    backend = _backend(info, input.merchant_id)
    require_currency([("qualifying", input.qualifying)], info.context.currency)
    recorded = await backend.record(
        RecordEvent(
            merchant_id=input.merchant_id,
            at_merchant_id=input.at_merchant_id,
            order_id=input.order_id,
            refund_no=input.refund_no,
            attempt_id=input.attempt_id,
            card_id=input.card_id,
            at=input.at,
            qualifying_minor=input.qualifying.amount_minor,
            coupon_ids=tuple(input.coupon_ids),
            is_ended=input.ended,
        )
    )
    return answers.BackendRecorded(replayed=recorded.replayed)


def _backend(info: MerchantsInfo, merchant_id: str) -> HostedBackend:
    """The backend, if the caller is that merchant's gateway."""
    if not may_act_for(info.context.caller, merchant_id):
        raise Forbidden
    return info.context.backend


def _coupons(coupon_ids: Sequence[str], merchant_id: str) -> list[Coupon]:
    return [
        Coupon(id=strawberry.ID(each), merchant_id=strawberry.ID(merchant_id))
        for each in coupon_ids
    ]


def _order(order_id: str, merchant_id: str) -> Order:
    return Order(id=strawberry.ID(order_id), merchant_id=strawberry.ID(merchant_id))
