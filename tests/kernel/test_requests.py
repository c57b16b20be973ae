import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, select

from kernel.database import Database, open_database
from kernel.refusals import Refusal, RequestIdReused, RequestInProgress
from kernel.requests import CLAIM_LEASE, Answer, RequestKey, RequestLog, hash_of, request_table
from tests.places import Places

pytestmark = pytest.mark.both_databases
METADATA = MetaData()
LOG = RequestLog(request_table(METADATA))
EFFECT = Table("effect", METADATA, Column("id", Integer, primary_key=True))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = RequestKey("merchant:m", "doIt", "r1", hash_of({"a": 1}))


@dataclass(eq=False)
class TooLate(Refusal):
    """It is too late."""

    by: int


@dataclass(eq=False)
class TryLater(Refusal):
    """Not yet."""

    retryable: ClassVar[bool] = True


@pytest.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    opened = await open_database(places.address("requests"), METADATA)
    yield opened
    await opened.close()


async def do_it(
    database: Database, key: RequestKey = KEY, refusal: Refusal | None = None
) -> Answer:
    def work(connection):  # type: ignore[no-untyped-def]
        def effect() -> dict[str, int]:
            connection.execute(EFFECT.insert())
            if refusal is not None:
                raise refusal
            return {"made": 1}

        return LOG.answer_once(connection, key, now=NOW, work=effect)

    return await database.transaction(work)


async def effects(database: Database) -> int:
    return await database.snapshot(
        lambda c: c.execute(select(func.count()).select_from(EFFECT)).scalar_one()
    )


async def test_a_hundred_repeats_at_once_have_one_effect_and_one_answer(
    database: Database,
) -> None:
    answers = await asyncio.gather(*(do_it(database) for _ in range(100)))

    assert await effects(database) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert {answer.success()["made"] for answer in answers} == {1}


async def test_a_changed_body_is_refused(database: Database) -> None:
    await do_it(database)

    with pytest.raises(RequestIdReused):
        await do_it(database, replace(KEY, body_hash=hash_of({"a": 2})))


async def test_one_id_of_two_callers_is_two_requests(database: Database) -> None:
    await do_it(database)
    answer = await do_it(database, replace(KEY, caller="merchant:other"))

    assert not answer.replayed
    assert await effects(database) == 2


async def test_a_refusal_undoes_its_writes_and_stays_the_answer(database: Database) -> None:
    first = await do_it(database, refusal=TooLate(by=3))
    second = await do_it(database)

    assert await effects(database) == 0
    assert (first.replayed, second.replayed) == (False, True)
    with pytest.raises(TooLate) as raised:
        second.success()
    assert raised.value.by == 3


async def test_a_retryable_refusal_is_forgotten(database: Database) -> None:
    with pytest.raises(TryLater):
        await do_it(database, refusal=TryLater())

    assert (await do_it(database)).success() == {"made": 1}


async def test_a_claim_is_taken_over_only_from_a_process_that_is_gone(
    database: Database,
) -> None:
    def claim(owner: str, *, after: timedelta = timedelta(0)):  # type: ignore[no-untyped-def]
        return database.transaction(lambda c: LOG.claim(c, KEY, now=NOW + after, owner=owner))

    assert await claim("first") is None
    assert await claim("first", after=CLAIM_LEASE / 2) is None
    if database.is_shared:
        with pytest.raises(RequestInProgress):
            await claim("second", after=CLAIM_LEASE)
    assert await claim("second", after=CLAIM_LEASE * 2) is None
    await database.transaction(lambda c: LOG.settle(c, KEY, {"made": 2}))
    answer = await claim("third")

    assert answer == Answer({"made": 2}, replayed=True)


async def test_an_outcome_that_is_kept_outlives_a_process_that_comes_late(
    database: Database,
) -> None:
    for owner, after in (("first", timedelta(0)), ("second", CLAIM_LEASE * 2)):
        await database.transaction(
            lambda c, owner=owner, after=after: LOG.claim(c, KEY, now=NOW + after, owner=owner)
        )
    await database.transaction(lambda c: LOG.settle(c, KEY, {"made": 2}))
    await database.transaction(lambda c: LOG.settle(c, KEY, TooLate(by=1).as_json()))

    answer = await database.snapshot(lambda c: LOG.find(c, KEY))

    assert answer == Answer({"made": 2}, replayed=True)


async def test_a_claim_that_is_let_go_is_anybodys_and_another_ones_is_not_touched(
    database: Database,
) -> None:
    def claim(owner: str):  # type: ignore[no-untyped-def]
        return database.transaction(lambda c: LOG.claim(c, KEY, now=NOW, owner=owner))

    await claim("first")
    await database.transaction(lambda c: LOG.let_go(c, KEY, owner="second"))
    if database.is_shared:
        with pytest.raises(RequestInProgress):
            await claim("second")
    await database.transaction(lambda c: LOG.let_go(c, KEY, owner="first"))

    assert await claim("second") is None


def test_the_order_of_keys_does_not_change_a_body() -> None:
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})
    assert hash_of({"a": 1}) != hash_of({"a": "1"})


def test_a_refusal_names_itself() -> None:
    assert TooLate(by=1).code == "TOO_LATE"
    assert TooLate(by=1).message == "It is too late."
