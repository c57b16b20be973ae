"""Every "no" that a backend gives. Instants are microseconds since 1970, as databases hold them.

The GraphQL types that tell them are in `merchants.schema.refusals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kernel.refusals import Refusal, add_chinese


@dataclass(eq=False)
class CouponTaken(Refusal):
    """The coupon is locked or redeemed by another checkout."""

    coupon_id: str
    merchant_id: str
    taken_at_store_id: str | None
    taken_at: int


@dataclass(eq=False)
class BackendAttemptReleased(Refusal):
    """The attempt was released; nothing of it is accepted any more."""


@dataclass(eq=False)
class BackendSoldOut(Refusal):
    """Too few units of a promotion's stock are left; the cart costs something else now."""

    promotion_id: str


@dataclass(eq=False)
class OrderConflict(Refusal):
    """The merchant has another order, with other facts, under this number."""

    order_id: str
    merchant_id: str


@dataclass(eq=False)
class RefundConflict(Refusal):
    """The order has a refund with other facts under this number."""

    order_id: str
    merchant_id: str


@dataclass(eq=False)
class RefundExceedsOrder(Refusal):
    """The refund asks for more than the order still holds."""

    refundable_minor: int
    currency: str


@dataclass(eq=False)
class MerchantNotActive(Refusal):
    """The merchant may not do this in its state; `merchant { state }` tells which that is."""

    merchant_id: str


@dataclass(eq=False)
class NotAMember(Refusal):
    """Some cards have not joined this merchant, or are those of erased members."""

    card_ids: list[str]


@dataclass(eq=False)
class NotInAudience(Refusal):
    """The template is not for some of these members."""

    card_ids: list[str]


@dataclass(eq=False)
class CouponBudgetSpent(Refusal):
    """What the coupon's template may cost in all is spent."""

    coupon_id: str


@dataclass(eq=False)
class TemplateStateUnreachable(Refusal):
    """A coupon template can not go from its state to this one."""

    state: str


@dataclass(eq=False)
class CouponNotFree(Refusal):
    """The coupon is in use, used, passed on or withdrawn."""

    coupon_id: str
    merchant_id: str


@dataclass(eq=False)
class CouponNotShareable(Refusal):
    """The coupon can not be passed on, or taken back, now."""

    reason: str


@dataclass(eq=False)
class ShareNotClaimable(Refusal):
    """The share code gives you no coupon."""

    reason: str


@dataclass(eq=False)
class TaskCapReached(Refusal):
    """The member did this task as often as it counts for now.

    Attributes:
        period: DAY or MONTH.
    """

    retryable: ClassVar[bool] = True

    task_code: str
    period: str


@dataclass(eq=False)
class PaidMembershipOver(Refusal):
    """The paid membership was refunded, or its time is over."""

    paid_membership_id: str


@dataclass(eq=False)
class QuotaExhausted(Refusal):
    """The template's quota does not cover this."""

    left: int
    cards_at_limit: list[str]


add_chinese(
    {
        "COUPON_TAKEN": "该优惠券已在另一笔结账中锁定或使用。",
        "BACKEND_ATTEMPT_RELEASED": "本次结账已释放，不再受理。",
        "BACKEND_SOLD_OUT": "活动库存不足，购物车价格已变化。",
        "ORDER_CONFLICT": "该订单号已对应另一笔不同的订单。",
        "REFUND_CONFLICT": "该退款单号已对应另一笔不同的退款。",
        "REFUND_EXCEEDS_ORDER": "退款超出订单剩余可退部分。",
        "MERCHANT_NOT_ACTIVE": "商家当前状态不允许此操作，状态见 merchant { state }。",
        "NOT_A_MEMBER": "部分卡尚未加入该商家。",
        "NOT_IN_AUDIENCE": "部分卡不在该券的发放对象之内。",
        "COUPON_BUDGET_SPENT": "该券的预算已用完。",
        "TEMPLATE_STATE_UNREACHABLE": "券模板的当前状态不允许此变更。",
        "COUPON_NOT_FREE": "该优惠券正在使用或已使用，不能收回。",
        "COUPON_NOT_SHAREABLE": "该优惠券不能转赠。",
        "SHARE_NOT_CLAIMABLE": "该赠券无法领取。",
        "TASK_CAP_REACHED": "该会员此项任务已达上限。",
        "PAID_MEMBERSHIP_OVER": "该付费会员已退款或已到期。",
        "QUOTA_EXHAUSTED": "该券模板的发放额度不足。",
    }
)
