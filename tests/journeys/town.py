"""A small alliance that tests live in: two merchants, two members, asked through HTTP alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from graphql import OperationDefinitionNode, parse, print_ast

from gateway.assembly.data_directory import OpenAlliance, open_alliance
from gateway.assembly.serving import authenticator_for
from gateway.http.app import Running, create_app
from gateway.http.cost import OperationCosts
from gateway.settings import Settings
from kernel.callers import CallerKind
from kernel.clock import SetClock
from kernel.database.sqlite_dialect import connect
from kernel.ids import SeededIds
from tests.builders import START, GatewayUnderTest, running

_FOLDER = Path(__file__).parent / "operations"
OPERATIONS = {
    definition.name.value: print_ast(definition)
    for path in sorted(_FOLDER.glob("*.graphql"))
    for definition in parse(path.read_text(encoding="utf-8")).definitions
    if isinstance(definition, OperationDefinitionNode) and definition.name
}
"""Text of each operation by its name."""

JSON = dict[str, Any]


def cny(amount_minor: int) -> JSON:
    """Money as a client sends it."""
    return {"amountMinor": amount_minor, "currency": "CNY"}


def line(amount_minor: int, *, sku: str = "tea", quantity: int = 1) -> JSON:
    """One line of a cart."""
    return {"sku": sku, "quantity": quantity, "unitPrice": cny(amount_minor)}


@dataclass
class Town:
    """A running gateway, and the operations that its clients send.

    Attributes:
        opened: what the gateway answers from, to look behind its answers.
    """

    gateway: GatewayUnderTest
    opened: OpenAlliance
    _numbers: Any = field(default_factory=lambda: count(1))

    @property
    def admin(self) -> str:
        """An admin's token."""
        return self.gateway.token(CallerKind.ADMIN, "ada")

    def merchant(self, merchant_id: str, store_id: str | None = None) -> str:
        """A merchant's token, bound to a store when one is named."""
        return self.gateway.token(CallerKind.MERCHANT, merchant_id, store_id=store_id)

    def member(self, member_id: str) -> str:
        """A member's token."""
        return self.gateway.token(CallerKind.MEMBER, member_id)

    def request_id(self) -> str:
        """One that nobody used yet."""
        return f"request-{next(self._numbers)}"

    async def query(self, name: str, token: str, /, **variables: Any) -> Any:
        """The one root field of a named query."""
        data = await self.gateway.data(OPERATIONS[name], token=token, **variables)
        [answer] = data.values()
        return answer

    async def change(self, name: str, token: str, /, **fields: Any) -> Any:
        """The answer of a named mutation, whatever it is; a new request id unless given."""
        given = {"requestId": self.request_id(), **fields}
        return await self.query(name, token, input=given)

    async def done(self, name: str, token: str, /, **fields: Any) -> Any:
        """The answer of a named mutation that succeeds."""
        answer = await self.change(name, token, **fields)
        assert "replayed" in answer, answer
        return answer

    async def admit(self, reference: str, name: str) -> str:
        """Id of a new merchant."""
        answer = await self.done(
            "AdmitMerchant",
            self.admin,
            reference=reference,
            name=name,
            backend={"kind": "HOSTED"},
        )
        return str(answer["merchant"]["id"])

    async def open_store(self, merchant_id: str, reference: str, channel: str) -> str:
        """Id of a new store."""
        answer = await self.done(
            "OpenStore",
            self.admin,
            merchantId=merchant_id,
            reference=reference,
            name=reference,
            channel=channel,
        )
        return str(answer["store"]["id"])

    async def join(self, merchant_id: str, store_id: str, **credential: str) -> tuple[str, str]:
        """Ids of a member and its card."""
        answer = await self.done(
            "Join",
            self.merchant(merchant_id),
            storeId=store_id,
            credential=credential,
            consents=[],
        )
        return str(answer["member"]["id"]), str(answer["member"]["card"]["id"])

    async def card_number(self, member_id: str) -> str:
        """What is printed on the member's card."""
        me = await self.query("MyCard", self.member(member_id))
        return str(me["card"]["number"])

    async def sell(
        self, merchant_id: str, store_id: str, order_no: str, amount_minor: int, **cart: Any
    ) -> Any:
        """The answer of a till's checkout of one article."""
        return await self.done(
            "Checkout",
            self.merchant(merchant_id),
            orderNo=order_no,
            cart={"storeId": store_id, "lines": [line(amount_minor)], **cart},
        )

    def dump(self) -> JSON:
        """Every row of every table of every database."""
        return dump_of(self.gateway.directory)


def dump_of(directory: Path) -> dict[str, list[str]]:
    """Every row of every database of a data directory, by file and table."""
    rows_by_table: dict[str, list[str]] = {}
    for path in sorted(directory.glob("*.db")):
        with closing(connect(path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables.fetchall():
                rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
                rows_by_table[f"{path.name}:{table}"] = sorted(map(repr, rows))
    return rows_by_table


@asynccontextmanager
async def town_at(
    directory: Path, *, seed: str = "town", with_sweepers: bool = False
) -> AsyncIterator[Town]:
    """A town over a data directory; without sweepers, nothing happens that nobody asked for."""
    clock, ids, settings = SetClock(START), SeededIds(seed), Settings(data=directory)
    opened: list[OpenAlliance] = []

    @asynccontextmanager
    async def open_gateway() -> AsyncIterator[Running]:
        async with open_alliance(
            directory,
            clock=clock,
            ids=ids,
            limits=settings.limits.operation,
            with_sweepers=with_sweepers,
        ) as alliance:
            opened.append(alliance)
            costs = OperationCosts(alliance.supergraph.public_schema, cost_max=settings.cost_max)
            authenticator = await authenticator_for(settings, directory, alliance)
            yield Running(alliance.engine, authenticator, costs)

    async with running(create_app(open_gateway, ids=ids, limits=settings.limits)) as client:
        yield Town(GatewayUnderTest(client, clock, directory), opened[0])


@dataclass
class Settled:
    """A town of two merchants and two members, one of each at home with the other.

    Attributes:
        tea: a merchant with a shop and a web shop; `books` one with a shop.
        ann: a member of `tea` alone, `bob` of `books` alone: ids of member and card.
    """

    town: Town
    tea: str
    tea_shop: str
    tea_web: str
    books: str
    books_shop: str
    ann: str
    ann_card: str
    bob: str
    bob_card: str


async def settle(town: Town) -> Settled:
    """The town, with its people."""
    tea = await town.admit("tea", "茶")
    tea_shop = await town.open_store(tea, "tea-shop", "STORE_POS")
    tea_web = await town.open_store(tea, "tea-web", "WEB_SHOP")
    books = await town.admit("books", "书")
    books_shop = await town.open_store(books, "books-shop", "STORE_POS")
    ann, ann_card = await town.join(tea, tea_shop, phone="+8613800000001")
    bob, bob_card = await town.join(books, books_shop, phone="+8613800000002")
    return Settled(town, tea, tea_shop, tea_web, books, books_shop, ann, ann_card, bob, bob_card)
