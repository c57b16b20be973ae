from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.membership.people import Consent, Member, MemberStatus
from gateway.merging.conflicts import conflicts_between, narrower_consents, survivor_first
from kernel.graphql import ChannelKind

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ANN = Member("mem_ann", MemberStatus.ACTIVE, "Ann", "mer_a", "sto_a", ChannelKind.APP, NOW)
BOB = replace(ANN, id="mem_bob", joined_at=NOW + timedelta(days=1))


def test_whoever_joined_earlier_stays() -> None:
    assert survivor_first(ANN, BOB) == survivor_first(BOB, ANN) == (ANN, BOB)


def test_of_two_that_joined_at_once_the_first_named_stays() -> None:
    twin = replace(BOB, joined_at=NOW)

    assert survivor_first(ANN, twin)[0] == ANN
    assert survivor_first(twin, ANN)[0] == twin


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, {}, []),
        ({"status": MemberStatus.FROZEN}, {}, ["MEMBER_FROZEN"]),
        ({}, {"status": MemberStatus.FROZEN}, ["MEMBER_FROZEN"]),
        ({"birthday": date(1990, 1, 2)}, {}, []),
        ({"birthday": date(1990, 1, 2)}, {"birthday": date(1990, 1, 2)}, []),
        ({"birthday": date(1990, 1, 2)}, {"birthday": date(1990, 2, 1)}, ["BIRTHDAY_CONFLICT"]),
    ],
)
def test_what_stands_against_a_merge(
    one: dict[str, object], other: dict[str, object], expected: list[str]
) -> None:
    found = conflicts_between(replace(ANN, **one), replace(BOB, **other))  # type: ignore[arg-type]

    assert [each.value for each in found] == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "both_joined", "said"),
    [
        (True, True, True, None),
        (True, False, True, False),
        (False, True, True, None),
        (True, None, True, False),
        (None, True, True, None),
        (True, None, False, None),
        (None, True, False, True),
        (None, False, False, None),
        (False, True, False, None),
        (True, False, False, False),
    ],
)
def test_the_narrower_word_counts(
    ours: bool | None, theirs: bool | None, both_joined: bool, said: bool | None
) -> None:
    def word(granted: bool | None) -> list[Consent]:
        if granted is None:
            return []
        return [Consent("mem", "mer_a", "PROFILE", granted, NOW)]

    found = narrower_consents(
        word(ours),
        word(theirs),
        survivor_joined={"mer_a"} if both_joined or ours is not None else set(),
        merged_joined={"mer_a"} if both_joined else {"mer_b"},
    )

    assert found == ({} if said is None else {("mer_a", "PROFILE"): said})
