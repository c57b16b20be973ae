from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.refusals import InvalidInput, NotFound
from merchants.coupons.templates import Funder, Span, TemplateDraft, template_problems, validity
from merchants.offers import CouponKind, CouponTerms, DecisionOutcome, OfferedCoupon
from merchants.port import (
    JoinMerchant,
    LockCoupons,
    MerchantState,
    RecordEvent,
    ReleaseAttempt,
)
from merchants.refusals import CouponTaken, MerchantNotActive
from merchants.wording import message_of
from tests.merchants.shop import (
    ALLIANCE,
    ANN,
    BOB,
    BOOKS,
    NOW,
    STORE,
    TEA,
    Shop,
    amount_off,
    cart,
    membership_of,
)

DRAFT = TemplateDraft(terms=amount_off(1_000, min_spend_minor=5_000))


def faults(draft: TemplateDraft, *, is_admin: bool = False) -> list[str]:
    found = template_problems(draft, now=NOW, may_spend_alliance_money=is_admin)
    return [path for path, _ in found]


@pytest.mark.parametrize(("face", "expected"), [(2_000, []), (2_001, ["minSpend"])])
def test_without_a_threshold_a_coupon_takes_at_most_twenty_off(
    face: int, expected: list[str]
) -> None:
    assert faults(TemplateDraft(terms=amount_off(face, min_spend_minor=0))) == expected


@pytest.mark.parametrize(
    ("cap", "expected"), [(2_000, []), (2_001, ["minSpend"]), (None, ["minSpend"])]
)
def test_without_a_threshold_a_percentage_is_capped_at_twenty(
    cap: int | None, expected: list[str]
) -> None:
    terms = CouponTerms(
        "tenth off", CouponKind.PERCENT_OFF, 0, percent_off_bps=1_000, cap_minor=cap
    )

    assert faults(TemplateDraft(terms=terms)) == expected


@pytest.mark.parametrize(("count", "expected"), [(1, []), (2_000, []), (2_001, ["skus"])])
def test_a_template_names_at_most_two_thousand_articles(count: int, expected: list[str]) -> None:
    terms = amount_off(100, skus=tuple(f"sku-{index}" for index in range(count)))

    assert faults(TemplateDraft(terms=terms)) == expected


def test_every_fault_of_a_template_is_told() -> None:
    terms = CouponTerms("", CouponKind.AMOUNT_OFF, -1, percent_off_bps=1, skus=(), channels=())
    draft = TemplateDraft(
        terms=terms,
        funder=Funder.SPLIT,
        valid_until=NOW,
        valid_days=0,
        quota_total=0,
        quota_per_member=0,
    )

    assert faults(draft) == [
        "title",
        "skus",
        "channels",
        "amount",
        "percentOffBps",
        "minSpend",
        "validUntil",
        "validDays",
        "quotaTotal",
        "quotaPerMember",
        "funder",
        "funderAllianceBps",
    ]


def test_days_after_issue_end_a_coupon_before_its_last_day() -> None:
    until = NOW + timedelta(days=30)
    draft = replace(DRAFT, valid_until=until, valid_days=7)

    assert validity(draft, NOW) == Span(NOW, NOW + timedelta(days=7))
    assert validity(draft, NOW + timedelta(days=29)) == Span(NOW + timedelta(days=29), until)
    assert validity(DRAFT, NOW) == Span(NOW, None)


async def test_a_newcomer_coupon_is_good_for_the_order_being_placed_now(shop: Shop) -> None:
    await shop.template(amount_off(1_000), for_new_members=True, quota_per_member=1)

    coupon_ids = await shop.join()
    priced = await shop.backend.price(cart(5_000))

    assert len(coupon_ids) == 1
    assert priced.coupon_ids == coupon_ids
    assert priced.payable_minor == 4_000


async def test_joining_again_gives_nothing_again(shop: Shop) -> None:
    await shop.template(amount_off(1_000), for_new_members=True)
    first = await shop.join()

    again = await shop.backend.join(
        JoinMerchant(TEA, membership_of(ANN), ANN, STORE, NOW, is_new_member=False)
    )

    assert again.replayed
    assert again.coupon_ids == first
    assert await shop.scalar("SELECT COUNT(*) FROM coupon") == 1


async def test_an_exhausted_newcomer_coupon_stops_nobody_from_joining(shop: Shop) -> None:
    await shop.template(amount_off(1_000), for_new_members=True, quota_total=1)

    assert [len(await shop.join(card_id)) for card_id in (ANN, BOB)] == [1, 0]


async def test_a_suspended_merchant_takes_nobody_in(shop: Shop) -> None:
    await shop.backend.register(TEA, MerchantState.SUSPENDED, version=1)

    with pytest.raises(MerchantNotActive):
        await shop.join()


async def test_one_membership_belongs_to_one_card(shop: Shop) -> None:
    await shop.join(ANN)

    with pytest.raises(InvalidInput):
        await shop.backend.join(JoinMerchant(TEA, membership_of(ANN), BOB, STORE, NOW, True))


async def test_the_better_coupon_of_a_group_wins_and_the_other_says_why(shop: Shop) -> None:
    await shop.join()
    small = await shop.coupon(amount_off(500))
    large = await shop.coupon(amount_off(900))

    priced = await shop.backend.price(cart(5_000, coupon_ids=(small,)))

    refused = next(each for each in priced.decisions if each.id == small)
    assert priced.coupon_ids == (large,)
    assert (refused.reason, refused.blocked_by) == ("STACKING_GROUP", large)


async def test_coupons_of_different_groups_stack(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(amount_off(500))
    await shop.coupon(amount_off(900, stacking_group="gift"))

    assert (await shop.backend.price(cart(5_000))).payable_minor == 3_600


async def test_a_tie_goes_to_the_coupon_that_costs_the_merchant_less(shop: Shop) -> None:
    await shop.join()
    own = await shop.coupon(amount_off(500))
    paid_by_alliance = await shop.coupon(amount_off(500), funder=Funder.ALLIANCE)

    priced = await shop.backend.price(cart(5_000, coupon_ids=(own, paid_by_alliance)))

    assert priced.coupon_ids == (paid_by_alliance,)
    assert priced.redemptions[0].funder_alliance_bps == 10_000


async def test_a_missed_threshold_says_how_much_is_missing(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(amount_off(1_000, min_spend_minor=6_200))

    decision = (await shop.backend.price(cart(5_000))).decisions[0]

    assert (decision.reason, decision.missing_minor) == ("BELOW_MIN_SPEND", 1_200)
    assert "12.00" in message_of(decision, "en")
    assert "12.00" in message_of(decision, "zh")


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (amount_off(100, skus=("other",)), "OUT_OF_SCOPE"),
        (amount_off(100, category_ids=("tea",)), "OUT_OF_SCOPE"),
        (amount_off(100, channels=("APP",)), "COUPON_WRONG_CHANNEL"),
        (amount_off(100, min_spend_minor=0), "NO_EFFECT"),
    ],
)
async def test_a_coupon_that_does_not_apply_says_why_and_is_not_locked(
    shop: Shop, terms: CouponTerms, reason: str
) -> None:
    await shop.join()
    await shop.coupon(terms)

    priced = await shop.backend.price(cart(0))

    assert [each.reason for each in priced.decisions] == [reason]
    assert priced.coupon_ids == ()


async def test_a_coupon_for_an_article_takes_only_from_it(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(amount_off(900, skus=("sku-1",)))

    priced = await shop.backend.price(cart(5_000, 400))

    assert [line.payable_minor for line in priced.lines] == [5_000, 0]


async def test_a_capped_percentage_is_spread_over_the_lines(shop: Shop) -> None:
    await shop.join()
    terms = CouponTerms("p", CouponKind.PERCENT_OFF, 1, percent_off_bps=1_000, cap_minor=500)
    await shop.coupon(terms)

    priced = await shop.backend.price(cart(3_333, 3_333, 3_334))

    assert [line.list_minor - line.payable_minor for line in priced.lines] == [167, 166, 167]


async def test_coupons_of_others_are_refused_by_name(shop: Shop) -> None:
    for merchant_id in (TEA, BOOKS, ALLIANCE):
        await shop.join(merchant_id=merchant_id)
    foreign = await shop.coupon(amount_off(100), merchant_id=BOOKS)
    alliance = await shop.coupon(amount_off(100), merchant_id=ALLIANCE)

    priced = await shop.backend.price(cart(5_000, coupon_ids=(foreign, alliance, "nonsense")))

    assert {each.id: each.reason for each in priced.decisions} == {
        foreign: "COUPON_WRONG_MERCHANT",
        alliance: "COUPON_NOT_AVAILABLE",
        "nonsense": "COUPON_NOT_FOUND",
    }


async def test_a_stranger_uses_no_coupons(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(100))

    priced = await shop.backend.price(
        cart(5_000, card_id=None, membership_id=None, coupon_ids=(coupon_id,))
    )

    assert priced.decisions[0].reason == "MEMBERS_ONLY"
    assert (priced.payable_minor, priced.points_to_earn) == (5_000, 0)


async def test_times_are_half_open(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(
        amount_off(100), valid_from=NOW + timedelta(days=1), valid_until=NOW + timedelta(days=2)
    )
    seconds = [
        (timedelta(days=1, microseconds=-1), "COUPON_NOT_YET_VALID"),
        (timedelta(days=1), None),
        (timedelta(days=2, microseconds=-1), None),
        (timedelta(days=2), "COUPON_EXPIRED"),
    ]

    for after, reason in seconds:
        priced = await shop.backend.price(cart(500, at=NOW + after, coupon_ids=(coupon_id,)))
        assert priced.decisions[0].reason == reason


async def test_the_alliances_coupon_is_offered_locked_redeemed_and_returned(shop: Shop) -> None:
    await shop.join(merchant_id=ALLIANCE)
    coupon_id = await shop.coupon(amount_off(700), merchant_id=ALLIANCE, funder=Funder.ALLIANCE)
    offered = (await shop.backend.offers(ALLIANCE, ANN)).coupons
    priced = await shop.backend.price(cart(5_000, alliance_coupons=offered))
    await shop.backend.lock(LockCoupons(ALLIANCE, "a", STORE, ANN, (coupon_id,)))
    sale = RecordEvent(ALLIANCE, TEA, "o-1", None, "a", ANN, NOW, 4_300, (coupon_id,), STORE)

    await shop.backend.record(sale)
    redeemed = (await shop.backend.offers(ALLIANCE, ANN)).coupons
    await shop.backend.record(replace(sale, refund_no="r", attempt_id=None, qualifying_minor=0))
    returned = (await shop.backend.offers(ALLIANCE, ANN)).coupons

    assert priced.alliance_coupon_ids == (coupon_id,)
    assert priced.redemptions[0].funder_alliance_bps == 10_000
    assert redeemed == ()
    assert returned == offered


async def test_merchant_and_alliance_coupons_both_apply(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(amount_off(1_000))
    theirs = OfferedCoupon("cpn_alliance", ALLIANCE, amount_off(700))

    priced = await shop.backend.price(cart(5_000, alliance_coupons=(theirs,)))

    applied = [each for each in priced.decisions if each.outcome is DecisionOutcome.APPLIED]
    assert [each.amount_minor for each in applied] == [1_000, 700]
    assert priced.payable_minor == 3_300


async def test_a_released_coupon_can_be_taken_elsewhere(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(100))
    await shop.backend.lock(LockCoupons(TEA, "a", STORE, ANN, (coupon_id,)))
    with pytest.raises(CouponTaken):
        await shop.backend.lock(LockCoupons(TEA, "b", STORE, ANN, (coupon_id,)))

    await shop.backend.release(ReleaseAttempt(TEA, "a"))
    locked = await shop.backend.lock(LockCoupons(TEA, "b", STORE, ANN, (coupon_id,)))

    assert locked.coupon_ids == (coupon_id,)


async def test_a_coupon_of_another_card_can_not_be_locked(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(100))

    with pytest.raises(NotFound):
        await shop.backend.lock(LockCoupons(TEA, "a", STORE, BOB, (coupon_id,)))
