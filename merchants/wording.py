"""What decisions say to people, in English and Chinese: one catalogue, by code. Pure.

Decisions keep a code and its facts; they are put into words when somebody reads them, so an order
tells each reader its reasons in the reader's language.

Source: docs/rules/pricing.md, rule 21.
"""

from __future__ import annotations

from string import Formatter
from typing import Any

from merchants.offers import MAJOR, Decision, DecisionKind

LANGUAGES = ("en", "zh")

SENTENCES: dict[str, tuple[str, str]] = {
    "TAKES_OFF": ("Takes {amount:money} off.", "已优惠 {amount:money}。"),
    "TIER_TAKES_OFF": (
        "Your tier takes {amount:money} off.",
        "您的会员等级优惠 {amount:money}。",
    ),
    "TIER_POINTS": (
        "Your tier multiplies the points that this order earns.",
        "您的会员等级让本单积分加倍。",
    ),
    "MEMBER_PRICE": (
        "The member price takes {amount:money} off.",
        "会员价优惠 {amount:money}。",
    ),
    "BETTER_BENEFIT": (
        "Another of your tiers saves at least as much.",
        "您的另一等级优惠不少于此。",
    ),
    "BETTER_PRICE": (
        "“{winner}” already gives these goods a price at least as low.",
        "“{winner}”已给出不高于此的价格。",
    ),
    "BETTER_PROMOTION": (
        "“{winner}” saves at least as much on the same goods.",
        "同样的商品，“{winner}”优惠不少于此。",
    ),
    "NO_EFFECT": ("It would take nothing off.", "使用后没有优惠，因此未使用。"),
    "OUT_OF_SCOPE": ("Nothing in the cart is covered by it.", "购物车中没有适用的商品。"),
    "MEMBERS_ONLY": ("This is for members only.", "仅限会员享受。"),
    "NOT_YET_OPEN": (
        "It is open to tiers of rank {rank} and above now, to all a little later.",
        "目前仅对等级 {rank} 及以上会员提前开放，稍后对所有人开放。",
    ),
    "OPENS_LATER": (
        "It is open to members with early access now, to all a little later.",
        "目前仅对享有抢先购权益的会员开放，稍后对所有人开放。",
    ),
    "EARLY_ACCESS": (
        "Your tier lets you buy at “{winner}” before others.",
        "您的会员等级可抢先参加“{winner}”。",
    ),
    "NO_EARLY_SALE": (
        "No flash sale on these goods opens earlier for you now.",
        "目前没有适用于这些商品的抢先购活动。",
    ),
    "ENTITLEMENT": (
        "You have this with your tier at any time; it does not change the price.",
        "您的会员等级随时享有此权益，不影响价格。",
    ),
    "TIER_GIVES": (
        "Your tier gives you goods worth {amount:money}.",
        "您的会员等级赠送价值 {amount:money} 的商品。",
    ),
    "GIFT_BELOW": (
        "Spend {missing:money} more on other goods to get this gift.",
        "再买 {missing:money} 的其他商品即可获赠。",
    ),
    "SOLD_OUT": ("No units are left at this price.", "该价格的商品已售罄。"),
    "BUNDLE_INCOMPLETE": (
        "The cart does not hold all articles of the bundle.",
        "购物车中缺少套餐内的商品。",
    ),
    "BELOW_THRESHOLD": (
        "Spend {missing:money} more on the goods it covers.",
        "再买 {missing:money} 的适用商品即可享受。",
    ),
    "BELOW_MIN_SPEND": (
        "Spend {missing:money} more to use this coupon.",
        "再买 {missing:money} 即可使用此券。",
    ),
    "STACKING_GROUP": (
        "Only one of these coupons can be used; you pay least with “{winner}”.",
        "同组优惠券只能用一张，使用“{winner}”最省。",
    ),
    "NO_MORE_EFFECT": (
        "The other discounts leave nothing that it would take off.",
        "其他优惠已抵扣，使用后不能再优惠，因此未使用。",
    ),
    "SEARCH_LIMIT": (
        "There are too many coupons to try each with all others; use it alone to compare.",
        "可用券组合过多，未逐一比较；可单独选用此券。",
    ),
    "GIFT_NOT_IN_CART": (
        "Put what it gives into the cart: {zone}.",
        "请先把可选商品加入购物车：{zone}。",
    ),
    "COUPON_BUDGET_SPENT": ("This offer is used up.", "该优惠活动的额度已用完。"),
    "NOT_IN_AUDIENCE": (
        "This coupon is for other members now.",
        "该券目前仅限其他会员使用。",
    ),
    "GIFT_OWNED": (
        "You have what it gives already; pick another article of it.",
        "您已拥有该商品，请另选一件。",
    ),
    "GIVES": ("Gives goods worth {amount:money}.", "已赠送价值 {amount:money} 的商品。"),
    "ADD_ON": (
        "Takes {amount:money} off what you pick at the add-on price.",
        "加价换购已优惠 {amount:money}。",
    ),
    "SHIPPING_OFF": ("Takes {amount:money} off shipping.", "运费已减 {amount:money}。"),
    "FREE_SHIPPING": (
        "Your tier ships free; that saves {amount:money}.",
        "您的会员等级免运费，已省 {amount:money}。",
    ),
    "NO_SHIPPING": ("There is no shipping to pay.", "本单没有运费。"),
    "DISCOUNT_CAP": (
        "Coupons and points stop here: discounts take at most {share:percent} of public prices.",
        "已达优惠上限：优惠最多为原价的 {share:percent}。",
    ),
    "COUPON_WRONG_CHANNEL": (
        "This coupon is not for this kind of store.",
        "此券不适用于该类门店。",
    ),
    "COUPON_LOCKED": (
        "This coupon is in use at another checkout.",
        "此券正在另一笔结账中使用。",
    ),
    "COUPON_REDEEMED": ("This coupon was used already.", "此券已使用。"),
    "COUPON_TRANSFERRED": ("This coupon was passed on.", "此券已转赠他人。"),
    "COUPON_VOID": ("This coupon was withdrawn.", "此券已作废。"),
    "COUPON_EXPIRED": ("This coupon's time is over.", "此券已过期。"),
    "COUPON_NOT_YET_VALID": ("This coupon can not be used yet.", "此券尚未到可用时间。"),
    "COUPON_NOT_AVAILABLE": ("This coupon can not be used now.", "此券现在不可用。"),
    "COUPON_WRONG_MERCHANT": ("This coupon is for another merchant.", "此券属于其他商家。"),
    "COUPON_NOT_FOUND": ("You have no such coupon here.", "您在此没有这张券。"),
    "COUPONS_FOR_MEMBERS": ("Coupons are for members.", "优惠券仅限会员使用。"),
    "POINTS_TAKE_OFF": (
        "{points} points take {amount:money} off.",
        "{points} 积分抵扣 {amount:money}。",
    ),
    "POINTS_NO_EFFECT": (
        "These points would take nothing off.",
        "这些积分不足以抵扣，因此未使用。",
    ),
    "POINTS_NOT_AVAILABLE": (
        "{unused} points stay with you: only {available} can be spent now.",
        "{unused} 积分保留：目前仅可使用 {available} 积分。",
    ),
    "POINTS_BUY_NOTHING": (
        "{unused} points stay with you: they would take nothing more off.",
        "{unused} 积分保留：再使用也不能多抵扣。",
    ),
    "POINTS_CAP": (
        "{unused} points stay with you: points may pay at most {share:percent} of an order.",
        "{unused} 积分保留：积分最多可抵扣订单的 {share:percent}。",
    ),
    "POINTS_DISCOUNT_CAP": (
        "{unused} points stay with you: discounts have reached their limit here.",
        "{unused} 积分保留：本店优惠已达上限。",
    ),
    "COINS_PAY": ("Coins pay {amount:money}.", "购物币支付 {amount:money}。"),
    "COINS_NONE": ("No coins can be spent here.", "此处没有可用的购物币。"),
    "COINS_NOT_AVAILABLE": (
        "Coins worth {unused:money} stay with you: no more can be spent now.",
        "价值 {unused:money} 的购物币保留：目前没有更多可用。",
    ),
    "NOTHING_LEFT_TO_PAY": (
        "Coins worth {unused:money} stay with you: nothing is left to pay with them.",
        "价值 {unused:money} 的购物币保留：已无需支付。",
    ),
    "PUBLIC_PRICE": (
        "Without your member prices this cart costs less; you pay that.",
        "不使用会员价时此单更便宜，按更低的价格结算。",
    ),
    "PARITY": (
        "The price for everybody is lower here than with it.",
        "此处公开价格比使用它更低。",
    ),
}
"""English and Chinese by code; facts in braces."""

TITLES: dict[str, tuple[str, str]] = {
    "points": ("Points", "积分"),
    "points-cap": ("Points", "积分"),
    "coins": ("Coins", "购物币"),
    "coins-cap": ("Coins", "购物币"),
    "shipping": ("Shipping", "运费"),
    "parity": ("Best price for members", "会员价保障"),
    "discount-cap": ("Limit of discounts", "优惠上限"),
}
"""Names of decisions that nobody else names, by decision id."""

_COUPON = ("Coupon", "优惠券")


def message_of(decision: Decision, language: str) -> str:
    """Why the decision came out so, in one sentence."""
    return say(decision.says, language, **dict(decision.facts))


def title_of(decision: Decision, language: str) -> str:
    """The decision's own title, or what its kind is called."""
    if decision.title:
        return decision.title
    if decision.kind is DecisionKind.COUPON:
        return _COUPON[LANGUAGES.index(language_or_english(language))]
    return TITLES[decision.id][LANGUAGES.index(language_or_english(language))]


def say(code: str, language: str, **facts: Any) -> str:
    """The sentence of this code with its facts."""
    sentence = SENTENCES[code][LANGUAGES.index(language_or_english(language))]
    return _FORMATTER.vformat(sentence, (), facts)


def language_or_english(language: str) -> str:
    """The language, if the catalogue speaks it; English otherwise."""
    return language if language in LANGUAGES else "en"


def money_text(amount_minor: int) -> str:
    """An amount for people, in major units: `12.00`."""
    return f"{amount_minor // MAJOR}.{amount_minor % MAJOR:02d}"


class _Facts(Formatter):
    """Formats `{amount:money}` and `{share:percent}` (basis points)."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "money":
            return money_text(value)
        if format_spec == "percent":
            return f"{money_text(value)} %"
        return str(value)


_FORMATTER = _Facts()
