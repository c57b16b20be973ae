"""An alliance on real files, and ways to ask it as each kind of caller."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphql import graphql

from gateway.alliance import AllianceSubgraph
from kernel.callers import Caller, CallerKind
from kernel.clock import SetClock
from kernel.database import DatabaseUnavailable
from kernel.ids import RandomIds, derived_id_within
from ledger.contract import CardStanding
from merchants.port import JoinedMerchant, JoinMerchant, MerchantState

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ADMIN = Caller(CallerKind.ADMIN, "ada")


@dataclass
class LedgerStandIn:
    """Answers balances from a table."""

    debt_by_card: dict[str, int] = field(default_factory=dict)

    async def balances(self, card_ids: Sequence[str], *, now: datetime) -> list[CardStanding]:
        return [CardStanding(c, 0, 0, 0, self.debt_by_card.get(c, 0), 0, 0) for c in card_ids]


@dataclass
class BackendStandIn:
    """Remembers what it was told; gives one coupon to each new wallet."""

    states: dict[str, MerchantState] = field(default_factory=dict)
    joins: list[JoinMerchant] = field(default_factory=list)
    fails: bool = False
    gives_coupons: bool = False
    orders_by_id: dict[str, Any] = field(default_factory=dict)

    async def register(self, merchant_id: str, state: MerchantState) -> None:
        self._answer()
        self.states[merchant_id] = state

    async def join(self, join: JoinMerchant) -> JoinedMerchant:
        self._answer()
        self.joins.append(join)
        coupon = derived_id_within("cpn", join.merchant_id, join.card_id)
        return JoinedMerchant(replayed=False, coupon_ids=(coupon,) if self.gives_coupons else ())

    async def orders(self, keys: Sequence[tuple[str, str]]) -> list[Any]:
        self._answer()
        return [self.orders_by_id.get(order_id) for _, order_id in keys]

    def _answer(self) -> None:
        if self.fails:
            raise DatabaseUnavailable("out of order")


@dataclass
class House:
    """One running alliance."""

    alliance: AllianceSubgraph
    clock: SetClock
    ledger: LedgerStandIn
    backend: Any
    _count: int = 0

    async def ask(
        self, document: str, variables: dict[str, Any] | None = None, *, caller: Caller | None
    ) -> dict[str, Any]:
        """`data` of an answer without errors."""
        data, errors = await self.ask_with_errors(document, variables, caller=caller)
        assert errors == []
        return data

    async def ask_with_errors(
        self, document: str, variables: dict[str, Any] | None = None, *, caller: Caller | None
    ) -> tuple[dict[str, Any], list[str]]:
        """`data`, and the codes of the errors."""
        result = await graphql(
            self.alliance.schema.executable,
            document,
            context_value=self.alliance.context_for(caller),
            # Resolving references empties the representations it is given.
            variable_values=copy.deepcopy(variables or {}),
        )
        codes = [
            str((error.extensions or {}).get("code", repr(error.original_error)))
            for error in result.errors or []
        ]
        return result.data or {}, codes

    async def change(self, operation: str, fields: dict[str, Any], *, caller: Caller) -> Any:
        """The answer of a mutation, every scalar field of its success one level deep."""
        self._count += 1
        given = {"requestId": f"request-{self._count}", **fields}
        input_type = operation[0].upper() + operation[1:] + "Input"
        data = await self.ask(
            f"mutation($input: {input_type}!) {{ answer: {operation}(input: $input) "
            f"{{ __typename {SELECTIONS[operation]} {REFUSAL_FIELDS} }} }}",
            {"input": given},
            caller=caller,
        )
        return data["answer"]

    async def admit(self, reference: str, name: str = "Merchant") -> str:
        """Id of a new hosted merchant."""
        answer = await self.change(
            "admitMerchant",
            {"reference": reference, "name": name, "backend": {"kind": "HOSTED"}},
            caller=ADMIN,
        )
        return str(answer["merchant"]["id"])

    async def open_store(self, merchant_id: str, reference: str = "S1") -> str:
        """Id of a new shop."""
        answer = await self.change(
            "openStore",
            {
                "merchantId": merchant_id,
                "reference": reference,
                "name": f"Store {reference}",
                "channel": "STORE_POS",
            },
            caller=ADMIN,
        )
        return str(answer["store"]["id"])

    async def counter(self, reference: str = "A") -> Counter:
        """A new merchant with one shop."""
        merchant_id = await self.admit(reference, f"Merchant {reference}")
        return Counter(self, merchant_id, await self.open_store(merchant_id))


@dataclass
class Counter:
    """A shop, and the till in it."""

    house: House
    merchant_id: str
    store_id: str

    @property
    def till(self) -> Caller:
        return merchant_caller(self.merchant_id)

    async def join(self, credential: dict[str, Any], **fields: Any) -> Any:
        """The answer of `join` here."""
        return await self.house.change(
            "join",
            {"storeId": self.store_id, "credential": credential, "consents": [], **fields},
            caller=self.till,
        )

    async def identify(self, credential: dict[str, Any]) -> Any:
        """The answer of `identify` here."""
        data = await self.house.ask(
            IDENTIFY, {"credential": credential, "storeId": self.store_id}, caller=self.till
        )
        return data["identify"]


IDENTIFY = """query($credential: CredentialInput!, $storeId: ID!) {
    identify(credential: $credential, storeId: $storeId) {
        member { id status card { id number status } } membership { id merchantId } warnings
    }
}"""
REFUSAL_FIELDS = (
    "... on Refusal { code message retryable } "
    "... on InvalidInputRefusal { problems { field message } }"
)
SELECTIONS = {
    "configureAlliance": "... on AllianceConfigured { replayed settings { version currency } }",
    "admitMerchant": "... on MerchantAdmitted "
    "{ replayed merchant { id name nameEn reference state backend { kind endpoint } } } "
    "... on BackendUnfitRefusal { problems { field message } }",
    "openStore": "... on StoreOpened "
    "{ replayed store { id name reference channel state merchant { id } } } "
    "... on MerchantNotActiveRefusal { merchant { id } }",
    "join": "... on VerificationFailedRefusal { attemptsLeft } "
    "... on Joined { replayed alreadyMember member { id status card { id number } } "
    "membership { id merchantId } firstOrderCoupon { id merchantId } }",
}


@asynccontextmanager
async def open_alliance(
    directory: Path, *, backend: Any = None, clock: SetClock | None = None, **options: Any
) -> AsyncIterator[House]:
    """A running alliance in `directory`, closed afterwards."""
    clock = clock or SetClock(START)
    ledger = LedgerStandIn()
    backend = backend or BackendStandIn()
    alliance = await AllianceSubgraph.open(
        directory / "alliance.db",
        clock=clock,
        ids=RandomIds(),
        ledger=ledger,  # type: ignore[arg-type]
        backend=backend,
        **options,
    )
    try:
        yield House(alliance, clock, ledger, backend)
    finally:
        await alliance.close()


def merchant_caller(merchant_id: str, store_id: str | None = None) -> Caller:
    """A till of the merchant."""
    return Caller(CallerKind.MERCHANT, merchant_id, store_id=store_id)


def member_caller(member_id: str) -> Caller:
    """The member's app."""
    return Caller(CallerKind.MEMBER, member_id)
