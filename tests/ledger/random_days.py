"""Random requests to a ledger: the same seed gives the same ones, whatever they are answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from random import Random

from kernel.refusals import Refusal
from ledger.contract import CouponRedemption, KeyReused
from tests.ledger.book import Books

Request = Callable[[Books], Awaitable[object]]
CARDS = ("m1", "m2", "m3", "m4", "m5")
_KINDS = ("earn", "earn", "spend", "hold", "capture", "release", "refund")


def random_requests(seed: int, count: int, *, first: int = 0) -> list[Request]:
    """Requests of every kind, some of them repeated; their keys are numbered from `first`.

    Odd seeds grant nothing: lanes in which coins are granted are not worked on side by side.
    """
    dice = Random(seed)
    kinds = _KINDS if seed % 2 else (*_KINDS, "grant")
    requests: list[Request] = []
    for number in range(first, first + count):
        if requests and dice.random() < 0.1:
            requests.append(dice.choice(requests))
        else:
            requests.append(_random_request(dice, dice.choice(kinds), number))
    return requests


async def play(books: Books, requests: list[Request], *, at_once: int) -> list[str]:
    """What the requests are answered, so many of them sent before the first answer is awaited."""
    answers: list[str] = []
    for start in range(0, len(requests), at_once):
        sent = (request(books) for request in requests[start : start + at_once])
        for answer in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(answer, BaseException) and not isinstance(answer, Refusal | KeyReused):
                raise answer
            is_refusal = isinstance(answer, Refusal)
            answers.append(str(answer.as_json()) if is_refusal else repr(answer))
    return answers


async def answer_alike(one: Books, four: Books, days: Sequence[list[Request]]) -> None:
    """Fails unless four lanes, asked many at a time, do what one does, asked one by one."""
    for requests in days:
        answers = await play(one, requests, at_once=1)
        assert await play(four, requests, at_once=25) == answers
        for books in (one, four):
            books.clock.set(books.now + timedelta(days=1, hours=1))
            await books.sweep()
        standings = [await one.standing(card) for card in CARDS]
        assert [await four.standing(card) for card in CARDS] == standings
        assert await four.positions() == await one.positions()
    assert len(await four.rows("SELECT DISTINCT lane FROM ledger_tx")) > 1
    for books in (one, four):
        assert (await books.verify()).findings == ()


def _random_request(dice: Random, kind: str, number: int) -> Request:
    card: str | None = dice.choice((*CARDS, *CARDS, None))
    merchant = dice.choice("ABC")
    points, coins = dice.randrange(0, 90), dice.randrange(0, 40)
    place = number if kind == "hold" else dice.randrange(max(0, number - 20), number + 1)
    attempt, holder = f"t{place}", CARDS[place * 7 % 5]
    if kind == "earn":
        days = timedelta(days=dice.choice((1, 1, 5, 300)))
        pending = timedelta(days=dice.choice((0, 0, 0, 2)))
        coupons = (CouponRedemption("c", dice.randrange(50), 5_000),) * dice.randrange(2)
        return lambda books: books.order(
            f"o{number}", merchant, card, earned=points, expires_in=days + pending,
            active_in=pending, coupons=coupons,
        )  # fmt: skip
    if kind == "spend":
        return lambda books: books.order(
            f"o{number}", merchant, card, spent=points, coins=coins, earned=coins
        )
    if kind == "hold":
        return lambda books: books.hold(attempt, holder, points // 2, coins=coins // 2)
    if kind == "capture":
        return lambda books: books.order(
            f"o{number}", merchant, holder, spent=points, coins=coins, attempt=attempt, earned=3
        )
    if kind == "release":
        return lambda books: books.release(attempt, holder)
    if kind == "grant":
        funder = dice.choice((None, "A", "B"))
        return lambda books: books.grant(
            f"g{number}", holder, coins + 1, funder=funder, expires_in=timedelta(days=2)
        )
    order, kept = f"o{dice.randrange(max(0, number - 30), number + 1)}", dice.randrange(60)
    return lambda books: books.refund(order, f"r{number}", kept=kept, points=points, coins=coins)
