"""Standings of many cards at many merchants, read together; and new versions of ladders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.refusals import InvalidInput
from merchants.alliance_facts import AllianceFacts
from merchants.keys_sql import Key
from merchants.ladders.evaluating import is_current, measured, rule_key
from merchants.ladders.evaluation import Deed, Held, Rule, evaluate
from merchants.ladders.figures_sql import read_figures
from merchants.ladders.held_sql import read_floors, read_held
from merchants.ladders.history_sql import read_deeds
from merchants.ladders.ladders_sql import (
    Figures,
    count_ladders,
    insert_ladder,
    read_ladders,
    read_latest_version,
)
from merchants.ladders.months import first_month, month_of, month_start
from merchants.ladders.paid import PaidMembership
from merchants.ladders.paid_sql import read_paid_of
from merchants.ladders.policies import Combined, TierPolicy, combine, lifted
from merchants.ladders.policies_sql import NO_POLICY, read_policies, read_rules
from merchants.ladders.tiers import (
    GivenBenefit,
    Ladder,
    Standing,
    TierGround,
    TierMetric,
    TierWindow,
    ladder_problems,
    standing_in,
    terms_problems,
)

LADDERS_MAX = 20
NO_TIERS = Combined(None, ())


@dataclass(frozen=True, slots=True)
class CardTiers:
    """Where a card stands at a merchant.

    Attributes:
        standings: in each ladder, the primary first.
        deciding: the one that stands for all under the merchant's policy; None without ladders.
        paid: paid memberships, the latest first.
        benefits: all that are in force, of tiers and of paid memberships.
    """

    standings: tuple[Standing, ...] = ()
    deciding: Standing | None = None
    paid: tuple[PaidMembership, ...] = ()
    benefits: tuple[GivenBenefit, ...] = ()


def tiers_of(
    connection: Connection,
    keys: Sequence[Key],
    *,
    now: datetime,
    alliance: AllianceFacts,
    alliance_rank: int | None = None,
) -> dict[Key, CardTiers]:
    """Where each card stands at its merchant.

    Args:
        alliance_rank: best rank of the cards in the alliance's ladders; None: it is read here.

    Source: docs/rules/tiers.md.
    """
    at = to_micros(now)
    merchant_ids = sorted({key[0] for key in keys})
    ladders = read_ladders(connection, merchant_ids, at=at)
    paid = read_paid_of(connection, keys)
    measured_keys = [key for key in keys if key[0] in ladders]
    if not measured_keys:
        return {key: _card_tiers(NO_TIERS, paid.get(key, ()), now) for key in keys}
    policies = read_policies(connection, sorted(ladders), at=at)
    reading = _Reading(connection, measured_keys, ladders, policies, now=now, zone=alliance.zone)
    alliance_ranks = _alliance_ranks(
        connection, measured_keys, policies, now=now, alliance=alliance, known=alliance_rank
    )
    tiers: dict[Key, CardTiers] = {}
    for key in keys:
        own, policy = ladders.get(key[0], []), policies.get(key[0], NO_POLICY)
        standings = tuple(
            reading.standing(key, ladder, policy, alliance_rank=alliance_ranks.get(key[1], 0))
            for ladder in own
        )
        combined = combine(policy, standings, own)
        tiers[key] = _card_tiers(combined, paid.get(key, ()), now, standings)
    return tiers


def ranks_of(
    connection: Connection, keys: Sequence[Key], *, now: datetime, zone: ZoneInfo
) -> dict[Key, dict[str, int]]:
    """The rank of each card in each ladder of its merchant, by ladder.

    What a card earned there, without what its rank in the alliance adds.
    """
    alliance = AllianceFacts(currency="", zone=zone, alliance_merchant_id="")
    tiers = tiers_of(connection, keys, now=now, alliance=alliance, alliance_rank=0)
    return {
        key: {standing.ladder: standing.rank for standing in found.standings}
        for key, found in tiers.items()
    }


def _card_tiers(
    combined: Combined,
    paid: tuple[PaidMembership, ...],
    now: datetime,
    standings: tuple[Standing, ...] = (),
) -> CardTiers:
    givers = [(each.ladder, each.version, each.benefits) for each in combined.benefits_of]
    givers += [
        (f"paid:{each.plan.code}", each.plan.version, each.plan.benefits)
        for each in paid
        if each.gives_at(now)
    ]
    benefits = tuple(
        GivenBenefit(giver, version, position, benefit)
        for giver, version, given in givers
        for position, benefit in enumerate(given)
    )
    return CardTiers(standings, combined.deciding, paid, benefits)


def set_ladder(
    connection: Connection, merchant_id: str, wanted: Ladder, *, now: datetime
) -> Ladder:
    """The new version of the ladder, kept.

    The merchant's first ladder is its primary; a new version of the primary stays primary.

    Args:
        wanted: its `version` is ignored; `is_primary` asks for it to be made the primary.

    Raises:
        InvalidInput: the ladder has faults; all of them are told.

    Source: docs/rules/tiers.md, rules 3 and 4.
    """
    problems = ladder_problems(wanted.name, wanted.steps) + terms_problems(wanted)
    if problems:
        raise InvalidInput(problems)
    before = read_latest_version(connection, merchant_id, name=wanted.name)
    count = count_ladders(connection, merchant_id)
    if before == 0 and count >= LADDERS_MAX:
        raise InvalidInput.at(
            "name", f"must not be new: a merchant has at most {LADDERS_MAX} ladders"
        )
    in_force = read_ladders(connection, [merchant_id], at=to_micros(now)).get(merchant_id, [])
    was_primary = any(each.is_primary and each.name == wanted.name for each in in_force)
    ladder = replace(
        wanted,
        version=before + 1,
        is_primary=wanted.is_primary or was_primary or count == 0,
    )
    insert_ladder(connection, merchant_id, ladder, set_at=to_micros(now))
    return ladder


class _Reading:
    """What standings are made of, read for all cards together."""

    def __init__(
        self,
        connection: Connection,
        keys: Sequence[Key],
        ladders: Mapping[str, list[Ladder]],
        policies: Mapping[str, TierPolicy],
        *,
        now: datetime,
        zone: ZoneInfo,
    ) -> None:
        self._connection = connection
        self._now = now
        self._zone = zone
        in_force = [ladder for of_merchant in ladders.values() for ladder in of_merchant]
        month = month_of(now, zone)
        with_growth = any(ladder.metric is TierMetric.GROWTH for ladder in in_force)
        self._figures: dict[int | None, dict[Key, Figures]] = {
            start: read_figures(
                connection,
                keys,
                policies,
                since=None if start is None else to_micros(month_start(start, zone)),
                with_growth=with_growth,
            )
            for start in {first_month(ladder, month) for ladder in in_force}
        }
        has_windows = any(ladder.window is not TierWindow.LIFETIME for ladder in in_force)
        self._held = read_held(connection, keys) if has_windows else {}
        self._floors = read_floors(connection, keys, at=to_micros(now))
        self._keys = keys
        self._deeds: dict[Key, list[Deed]] | None = None
        self._rules: dict[tuple[str, str], list[Rule]] = {}

    def standing(
        self, key: Key, ladder: Ladder, policy: TierPolicy, *, alliance_rank: int
    ) -> Standing:
        """Where the card stands in the ladder."""
        start = first_month(ladder, month_of(self._now, self._zone))
        figure = measured(ladder, self._figures[start].get(key, Figures()))
        standing = standing_in(ladder, figure)
        if ladder.window is not TierWindow.LIFETIME:
            held = self._held_now(key, ladder, policy)
            retained = held.rank > ladder.rank_of(figure)
            standing = standing_in(
                ladder,
                figure,
                rank=held.rank,
                ground=TierGround.RETAINED if retained else TierGround.METRIC,
                valid_until=held.valid_until,
            )
        primary = ("",) if ladder.is_primary else ()
        floors = [self._floors.get((*key, name), 0) for name in (ladder.name, *primary)]
        honoured = policy.rank_for(alliance_rank) if ladder.is_primary else 0
        return lifted(ladder, standing, alliance_rank=honoured, floor_rank=max(floors))

    def _held_now(self, key: Key, ladder: Ladder, policy: TierPolicy) -> Held:
        """The tier that is kept, or when its time is over or its rule changed, a fresh one."""
        kept = self._held.get((*key, ladder.name))
        if kept is not None and is_current(kept, rule=rule_key(ladder, policy), at=self._now):
            return kept.held
        verdict = evaluate(
            self._rules_of(key[0], ladder),
            self._deeds_of(key),
            until=self._now,
            zone=self._zone,
        )
        assert verdict is not None, "a ladder in force has a rule in force"
        return verdict.held

    def _rules_of(self, merchant_id: str, ladder: Ladder) -> list[Rule]:
        name, until = (merchant_id, ladder.name), to_micros(self._now)
        if name not in self._rules:
            self._rules[name] = read_rules(
                self._connection, merchant_id, ladder=ladder.name, until=until
            )
        return self._rules[name]

    def _deeds_of(self, key: Key) -> list[Deed]:
        """The card's history: read once, for all cards of which nothing is kept."""
        if self._deeds is None:
            known = {(merchant_id, card_id) for merchant_id, card_id, _ in self._held}
            unknown = [each for each in self._keys if each not in known]
            nothing: dict[Key, list[Deed]] = {each: [] for each in unknown}
            self._deeds = nothing | read_deeds(self._connection, unknown)
        if key not in self._deeds:
            self._deeds[key] = read_deeds(self._connection, [key]).get(key, [])
        return self._deeds[key]


def _alliance_ranks(
    connection: Connection,
    keys: Sequence[Key],
    policies: Mapping[str, TierPolicy],
    *,
    now: datetime,
    alliance: AllianceFacts,
    known: int | None,
) -> dict[str, int]:
    """Best alliance rank by card, as far as a merchant honours it."""
    cards = sorted({key[1] for key in keys if key[0] in policies and policies[key[0]].honoured})
    if known is not None:
        return dict.fromkeys(cards, known)
    if not cards:
        return {}
    theirs = [(alliance.alliance_merchant_id, card_id) for card_id in cards]
    tiers = tiers_of(connection, theirs, now=now, alliance=alliance, alliance_rank=0)
    return {
        key[1]: max((standing.rank for standing in of_card.standings), default=0)
        for key, of_card in tiers.items()
    }
