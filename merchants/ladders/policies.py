"""How a merchant's ladders go together, and with the alliance's. Pure.

Source: docs/rules/tiers.md, rules 14 to 16.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kernel.units import WHOLE_BP
from merchants.ladders.segments import SegmentThresholds, threshold_problems
from merchants.ladders.tiers import Ladder, Standing, TierGround, standing_in

MAPPINGS_MAX = 50
WEIGHTS_MAX = 1_000
WEIGHT_MAX_BPS = 100 * WHOLE_BP


class TierCombination(StrEnum):
    """How a member's tiers in several ladders go together."""

    ANY = "ANY"
    ALL = "ALL"
    BEST_OF = "BEST_OF"


@dataclass(frozen=True, slots=True)
class HonouredRank:
    """Who has this rank in the alliance's ladders has that rank here, at least."""

    alliance_rank: int
    rank: int


@dataclass(frozen=True, slots=True)
class TierPolicy:
    """What a merchant chose.

    Attributes:
        version: counts from 1; 0 for a merchant that never chose.
        honoured: which ranks the alliance's ranks give in the primary ladder.
        weights: of the alliance's own merchant alone: what other merchants' orders count,
            basis points by merchant; one that is not named counts in full.
        segments: where the merchant's segments part.
    """

    version: int = 0
    combination: TierCombination = TierCombination.ANY
    honoured: tuple[HonouredRank, ...] = ()
    weights: Mapping[str, int] = field(default_factory=dict)
    segments: SegmentThresholds = SegmentThresholds()

    def rank_for(self, alliance_rank: int) -> int:
        """The rank here that the alliance's rank gives; 0 for none."""
        return max(
            (each.rank for each in self.honoured if each.alliance_rank <= alliance_rank), default=0
        )


@dataclass(frozen=True, slots=True)
class Combined:
    """What all standings come to.

    Attributes:
        deciding: the standing that stands for all; None without ladders.
        benefits_of: the standings whose benefits are in force.
    """

    deciding: Standing | None
    benefits_of: tuple[Standing, ...]


def lifted(
    ladder: Ladder, standing: Standing, *, alliance_rank: int = 0, floor_rank: int = 0
) -> Standing:
    """The standing, or the better one that a floor or the alliance's rank gives.

    Source: docs/rules/tiers.md, rules 15 and 17.
    """
    for rank, ground in ((floor_rank, TierGround.FLOOR), (alliance_rank, TierGround.ALLIANCE)):
        if ladder.rank_within(rank) > standing.rank:
            standing = standing_in(ladder, standing.current, rank=rank, ground=ground)
    return standing


def combine(
    policy: TierPolicy, standings: Sequence[Standing], ladders: Iterable[Ladder]
) -> Combined:
    """What the standings, the primary first, come to under the merchant's policy.

    Source: docs/rules/tiers.md, rule 14.
    """
    if not standings:
        return Combined(None, ())
    if policy.combination is TierCombination.BEST_OF:
        best = max(standings, key=lambda each: each.rank)
        return Combined(best, (best,))
    if policy.combination is TierCombination.ALL:
        lowest = min(standings, key=lambda each: each.rank)
        ladder_by_name = {ladder.name: ladder for ladder in ladders}
        held = []
        for standing in standings:
            step = ladder_by_name[standing.ladder].step_at(lowest.rank)
            held.append(replace(standing, benefits=step.benefits if step else ()))
        return Combined(lowest, tuple(held))
    primary = next((each for each in standings if each.is_primary), standings[0])
    return Combined(primary, tuple(standings))


def policy_problems(policy: TierPolicy) -> list[list[str]]:
    """Every fault of a policy as (path, sentence); empty when there is none."""
    problems: list[list[str]] = []
    if len(policy.honoured) > MAPPINGS_MAX:
        problems.append(["honoured", f"must have at most {MAPPINGS_MAX} entries"])
    before: HonouredRank | None = None
    for index, each in enumerate(policy.honoured[:MAPPINGS_MAX]):
        if each.alliance_rank < 1 or (before and each.alliance_rank <= before.alliance_rank):
            problems.append(
                [f"honoured.{index}.allianceRank", "must be 1 or more, and rise with each entry"]
            )
        if each.rank < 1 or (before and each.rank < before.rank):
            problems.append([f"honoured.{index}.rank", "must be 1 or more, and never fall"])
        before = each
    problems.extend(
        [f"segments.{path}", fault] for path, fault in threshold_problems(policy.segments)
    )
    return problems
