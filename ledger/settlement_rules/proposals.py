"""Settlement rules as people change them: what is proposed, refused, warned of. Pure.

Source: docs/rules/settlement.md, rules 13 to 16.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.refusals import InvalidInput, Refusal
from kernel.units import WHOLE_BP, Ratio
from ledger.rules.state import RuleTerms

NOTICE = timedelta(seconds=60)
"""How long before it takes effect a rule is approved at the latest."""

PRICE_MAX = 1_000_000


class RuleState(StrEnum):
    """Where a settlement rule stands."""

    DRAFT = "DRAFT"
    SIMULATED = "SIMULATED"
    APPROVED = "APPROVED"
    ACTIVE = "ACTIVE"
    SUPERSEDED = "SUPERSEDED"


@dataclass(eq=False)
class PoolUnderfunded(Refusal):
    """The redeem price is above the funding of live points."""

    shortfall_minor: int


@dataclass(eq=False)
class SelfApproval(Refusal):
    """Whoever proposed a rule cannot approve it."""


@dataclass(eq=False)
class RuleNotWaiting(Refusal):
    """The rule is not waiting for approval."""

    version: int

    @property
    def code(self) -> str:
        """RULE_STATE, as its payload is called."""
        return "RULE_STATE"


def check_terms(terms: RuleTerms) -> list[list[str]]:
    """What is wrong with the terms: (field, what would be right) pairs."""
    problems = [
        [field, f"must be over 0 and at most {PRICE_MAX}"]
        for field, price in (("issuePrice", terms.issue_price), ("redeemPrice", terms.redeem_price))
        if not 0 < price.numerator <= PRICE_MAX * price.denominator
    ]
    shares = (
        ("issueFeeBps", terms.issue_fee_bps),
        ("redeemFeeBps", terms.redeem_fee_bps),
        ("breakageIssuerBps", terms.breakage_issuer_bps),
    )
    problems += [
        [field, f"must be 0 to {WHOLE_BP}"] for field, bps in shares if not 0 <= bps <= WHOLE_BP
    ]
    return problems


def refuse_unless_in_time(effective_from: datetime, *, now: datetime) -> None:
    """Returns when a rule may still be approved.

    Args:
        now: or the instant of the newest booking when that is later.

    Raises:
        InvalidInput: it takes effect in less than `NOTICE`.

    Source: docs/rules/settlement.md, rule 14.
    """
    if effective_from < now + NOTICE:
        raise InvalidInput.at(
            "ruleId", "takes effect in less than 60 s from now or the last booking; propose it anew"
        )


def refuse_when_overtaken(*, is_overtaken: bool) -> None:
    """Returns when a rule still follows the rules that it was proposed and simulated against.

    Raises:
        InvalidInput: one that was proposed later is approved.

    Source: docs/rules/settlement.md, rule 14.
    """
    if is_overtaken:
        raise InvalidInput.at("ruleId", "was overtaken by a later version; propose it anew")


def shortfall(lots: Iterable[tuple[int, int]], redeem_price: Ratio) -> int:
    """What the alliance would have to add, were every live point redeemed, minor units.

    Args:
        lots: (points, funding left) of each.
    """
    return sum(max(0, redeem_price.floor(points) - funding) for points, funding in lots)


def refuse_when_underfunded(shortfall_minor: int, *, accepts_top_up: bool) -> None:
    """Returns when live points are funded, or the alliance will pay.

    Raises:
        PoolUnderfunded: neither.
    """
    if shortfall_minor and not accepts_top_up:
        raise PoolUnderfunded(shortfall_minor)


def warnings_of(terms: RuleTerms, *, shortfall_minor: int, waiting: Iterable[int]) -> list[str]:
    """What an approver should know, for people.

    Args:
        waiting: versions of other rules that are approved and not in force yet.
    """
    redeem, issue = terms.redeem_price, terms.issue_price
    gap = redeem.numerator * issue.denominator - issue.numerator * redeem.denominator
    warnings = []
    if shortfall_minor:
        warnings.append(
            f"Live points lack {shortfall_minor} minor units of funding; "
            "the alliance pays them as the points are redeemed."
        )
    if gap > 0:
        warnings.append(
            "redeemPrice is above issuePrice: the alliance pays the difference for every new point."
        )
    if gap < 0:
        warnings.append(
            "redeemPrice is below issuePrice: the alliance keeps the difference of every new point."
        )
    warnings += [
        f"Version {version} is approved and not in force yet; the later to take effect stays."
        for version in waiting
    ]
    return warnings


def state_at(
    *, is_approved: bool, effective_from: int, version: int, in_force: int, now: int
) -> RuleState:
    """Where a rule stands at an instant.

    Args:
        in_force: version of the rule in force at `now`.
    """
    if not is_approved:
        return RuleState.DRAFT
    if effective_from > now:
        return RuleState.APPROVED
    return RuleState.ACTIVE if version == in_force else RuleState.SUPERSEDED
