from __future__ import annotations

from typing import Any

import pytest

from kernel.ids import derived_id
from kernel.refusals import InvalidInput
from merchants.coupons.templates import CouponState
from merchants.ladders.tiers import TierMetric
from merchants.port import JoinMerchant, LockCoupons, MergeWallets
from merchants.wallets.merging import plan_coupons
from merchants.wallets.merging_sql import WalletCoupon
from tests.merchants.shop import (
    ADMIN,
    ANN,
    BOB,
    NOW,
    STORE,
    TEA,
    Shop,
    amount_off,
    cart,
    ladder,
    membership_of,
)

CAT = derived_id("card", "cat")
SOON, LATE = 10, 2**62


def welcome(name: str, state: CouponState = CouponState.ISSUED, **more: Any) -> WalletCoupon:
    fields = {"template_id": "welcome", "valid_until": LATE, "quota_per_member": 1, **more}
    return WalletCoupon(coupon_id=name, state=state, is_welcome=True, **fields)


def other(name: str, state: CouponState = CouponState.ISSUED, **more: Any) -> WalletCoupon:
    fields = {"template_id": "other", "valid_until": LATE, "quota_per_member": 1, **more}
    return WalletCoupon(coupon_id=name, state=state, is_welcome=False, **fields)


@pytest.mark.parametrize(
    ("ours", "theirs", "moved", "voided"),
    [
        ([], [], (), ()),
        ([], [other("b")], ("b",), ()),
        ([other("a")], [other("b"), other("c", CouponState.REDEEMED)], ("b",), ()),
        ([], [other("b", valid_until=SOON)], (), ()),
        ([], [other("b", CouponState.LOCKED)], ("b",), ()),
        ([], [welcome("b")], ("b",), ()),
        ([welcome("a", CouponState.REDEEMED)], [welcome("b")], (), ("b",)),
        ([welcome("a")], [welcome("b", CouponState.REDEEMED)], (), ("a",)),
        ([welcome("a", CouponState.LOCKED)], [welcome("b", template_id="w2")], (), ("b",)),
        ([welcome("a")], [welcome("b")], (), ("b",)),
        (
            [welcome("a", quota_per_member=2)],
            [welcome("b", quota_per_member=2), welcome("c", quota_per_member=2)],
            ("b",),
            ("c",),
        ),
        ([welcome("a")], [welcome("b", template_id="w2")], ("b",), ()),
    ],
)
def test_coupons_move_and_a_person_is_welcomed_once(
    ours: list[WalletCoupon],
    theirs: list[WalletCoupon],
    moved: tuple[str, ...],
    voided: tuple[str, ...],
) -> None:
    plan = plan_coupons(ours, theirs, now=SOON)

    assert (plan.moved, plan.voided) == (moved, voided)


def merge_of(**more: Any) -> MergeWallets:
    """Bob's card becomes another name of Ann's."""
    fields = {
        "merchant_id": TEA,
        "merge_id": "mrg",
        "survivor_card_id": ANN,
        "survivor_membership_id": membership_of(ANN),
        "merged_card_id": BOB,
        "merged_membership_id": membership_of(BOB),
        **more,
    }
    return MergeWallets(**fields)


def bobs(*prices: int, **more: Any) -> Any:
    return cart(*prices, card_id=BOB, membership_id=membership_of(BOB), **more)


async def test_orders_of_both_count_for_tiers(shop: Shop) -> None:
    await shop.set_ladder(ladder(TierMetric.PURCHASE_COUNT, ("one", 1), ("three", 3)))
    await shop.join()
    await shop.join(BOB)
    await shop.place(cart(100))
    for _ in range(2):
        await shop.place(bobs(100))

    await shop.backend.merge(merge_of())

    [standing] = (await shop.backend.offers(TEA, ANN)).tiers
    assert (standing.name, standing.current) == ("three", 3)
    [gone] = (await shop.backend.offers(TEA, BOB)).tiers
    assert gone.current == 0


async def test_a_merge_repeated_changes_nothing_and_a_dry_run_writes_nothing(shop: Shop) -> None:
    await shop.join()
    await shop.join(BOB)
    coupon_id = await shop.coupon(amount_off(500), BOB)

    preview = await shop.backend.merge(merge_of(dry_run=True))
    [holder] = await shop.backend.coupon_holders([(TEA, coupon_id)])
    assert (preview.coupons_moved, preview.replayed, holder) == (1, False, BOB)
    first = await shop.backend.merge(merge_of())
    again = await shop.backend.merge(merge_of())

    assert (first.coupons_moved, first.replayed) == (1, False)
    assert (again.coupons_moved, again.replayed) == (1, True)
    assert await shop.backend.coupon_holders([(TEA, coupon_id)]) == [ANN]


async def test_a_checkout_of_the_merged_card_locks_and_sells_for_the_survivor(shop: Shop) -> None:
    await shop.join()
    await shop.join(BOB)
    coupon_id = await shop.coupon(amount_off(500), BOB)
    wanted = bobs(1_000, coupon_ids=(coupon_id,))
    placing = await shop.placing(wanted)

    await shop.backend.merge(merge_of())
    await shop.backend.lock(LockCoupons(TEA, placing.attempt_id, STORE, BOB, (coupon_id,)))
    placed = await shop.backend.place(placing)

    assert placed.absorbed_minor == 0
    assert (placed.order.card_id, placed.order.membership_id) == (ANN, membership_of(ANN))
    assert placed.order.payable_minor == 500
    assert (await shop.backend.place(placing)).replayed is True


async def test_a_join_that_was_cut_off_finds_the_survivors_wallet(shop: Shop) -> None:
    await shop.join()
    await shop.backend.merge(merge_of())

    joined = await shop.backend.join(
        JoinMerchant(TEA, membership_of(BOB), BOB, STORE, NOW, is_new_member=True)
    )

    assert joined.replayed is True


async def test_coupons_issued_to_the_merged_card_are_the_survivors(shop: Shop) -> None:
    await shop.join()
    await shop.join(BOB)
    template_id = await shop.template(amount_off(500), quota_per_member=1)
    await shop.issue(template_id, BOB)
    await shop.backend.merge(merge_of())
    fresh = await shop.template(amount_off(500))

    [coupon_id] = await shop.issue(fresh, BOB)

    assert await shop.backend.coupon_holders([(TEA, coupon_id)]) == [ANN]
    with pytest.raises(Exception, match="QUOTA_EXHAUSTED"):
        await shop.issue(template_id, ANN)


async def test_a_name_follows_the_survivor_into_the_next_merge(shop: Shop) -> None:
    for card_id in (ANN, BOB, CAT):
        await shop.join(card_id)
    placing = await shop.placing(bobs(100))
    await shop.backend.merge(merge_of())
    await shop.backend.merge(
        merge_of(
            merge_id="next",
            survivor_card_id=CAT,
            survivor_membership_id=membership_of(CAT),
            merged_card_id=ANN,
            merged_membership_id=membership_of(ANN),
        )
    )

    assert (await shop.backend.place(placing)).order.card_id == CAT


async def test_a_card_is_not_merged_with_itself(shop: Shop) -> None:
    with pytest.raises(InvalidInput):
        await shop.backend.merge(merge_of(merged_card_id=ANN))


async def test_the_backend_contract_merges_and_parts_over_graphql(shop: Shop) -> None:
    await shop.join()
    await shop.join(BOB)
    coupon_id = await shop.coupon(amount_off(500), BOB)
    given = {
        "merchantId": TEA,
        "mergeId": "mrg",
        "survivorCardId": ANN,
        "survivorMembershipId": membership_of(ANN),
        "mergedCardId": BOB,
        "mergedMembershipId": membership_of(BOB),
        "dryRun": False,
    }
    document = (
        "mutation($input: BackendMergeInput!) { backendMerge(input: $input) "
        "{ ... on BackendMerged { replayed couponsMoved conflicts paidRefunds { amountMinor } } } }"
    )

    merged, _ = await shop.ask(document, ADMIN, input=given)
    parted, _ = await shop.ask(document, ADMIN, input={**given, "undo": True})

    assert merged["backendMerge"] == {
        "replayed": False,
        "couponsMoved": 1,
        "conflicts": [],
        "paidRefunds": {"amountMinor": 0},
    }
    assert parted["backendMerge"]["couponsMoved"] == 1
    assert await shop.backend.coupon_holders([(TEA, coupon_id)]) == [BOB]
