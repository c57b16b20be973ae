"""Chinese sentences of the ledger's refusals, by code."""

from __future__ import annotations

CHINESE = {
    "ATTEMPT_RELEASED": "本次冻结已释放，请重新发起。",
    "DEBT_OPEN": "有欠分未还，暂不能使用积分。",
    "DEPOSIT_HELD": "商家退出后，保证金须待退货期结束方可退还。",
    "DEPOSIT_TOO_LOW": "保证金余额不足。",
    "GRANT_OVER_BUDGET": "出资方预算不足以支付此次赠送。",
    "INSUFFICIENT_COINS": "可用购物币不足。",
    "INSUFFICIENT_POINTS": "可用积分不足。",
    "MERGE_SPENT": "合并转入的权益已被使用或冻结。",
    "ORDER_UNKNOWN": "账本尚未收到该订单。",
    "PERIOD_NOT_CLOSABLE": "该结算期目前不能关闭。",
    "POOL_UNDERFUNDED": "兑付价高于在用积分的资金。",
    "RULE_NOT_WAITING": "该规则不在等待审批。",
    "SELF_APPROVAL": "提出规则的人不能自己批准。",
    "STATEMENT_STATE": "对账单目前的状态不允许此操作。",
}
