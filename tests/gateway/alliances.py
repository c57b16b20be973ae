"""An alliance on real files, and ways to ask it as each kind of caller."""

from __future__ import annotations

import copy
import inspect
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from graphql import DocumentNode, execute, parse, validate

from gateway.alliance.subgraph import AllianceSubgraph, alliance_schema
from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from kernel.callers import Caller, CallerKind
from kernel.clock import SetClock
from kernel.database import DatabaseUnavailable
from kernel.ids import RandomIds
from ledger.contract import Ledger
from ledger.subgraph import LedgerSubgraph
from merchants.coupons.issuing import create_template
from merchants.coupons.templates import TemplateDraft
from merchants.hosted import HostedBackend, MerchantSettings
from merchants.offers import CouponKind, CouponTerms
from merchants.port import Backend, JoinedMerchant, JoinMerchant
from merchants.subgraph import HostedMerchants
from tests.places import address_in

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ADMIN = Caller(CallerKind.ADMIN, "ada")


class Door:
    """Stands before the hosted backend: remembers joins, and can be shut."""

    def __init__(self) -> None:
        self.hosted: HostedBackend
        self.joins: list[JoinMerchant] = []
        self.is_shut = False

    def __getattr__(self, name: str) -> Any:
        if self.is_shut:
            raise DatabaseUnavailable("out of order")
        return getattr(self.hosted, name)

    async def join(self, join: JoinMerchant) -> JoinedMerchant:
        opened = await self.__getattr__("join")(join)
        self.joins.append(join)
        return opened  # type: ignore[no-any-return]


@dataclass
class House:
    """One running alliance."""

    alliance: AllianceSubgraph
    clock: SetClock
    ledger: Ledger
    door: Door
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
        result = execute(
            self.alliance.schema.executable,
            _parsed(document),
            context_value=self.alliance.context_for(caller),
            # Resolving references empties the representations it is given.
            variable_values=copy.deepcopy(variables or {}),
        )
        if inspect.isawaitable(result):
            result = await result
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

    async def offer_to_newcomers(self, merchant_id: str) -> None:
        """Lets the merchant, or the alliance, give a coupon for joining."""
        backend = self.door.hosted
        draft = TemplateDraft(
            terms=CouponTerms("Welcome", CouponKind.AMOUNT_OFF, 1_000, amount_minor=500),
            for_new_members=True,
        )
        await backend.database.transaction(
            lambda connection: create_template(
                connection,
                draft,
                merchant_id=merchant_id,
                now=self.clock.now(),
                ids=backend.ids,
                may_spend_alliance_money=True,
            )
        )

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


@cache
def _parsed(document: str) -> DocumentNode:
    parsed = parse(document)
    assert validate(alliance_schema().executable, parsed) == []
    return parsed


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
    "requestVerificationCode": "... on VerificationCodeSent { replayed expiresAt }",
    "linkIdentity": "... on VerificationFailedRefusal { attemptsLeft } "
    "... on IdentityBelongsToAnotherRefusal { mergePossible } "
    "... on IdentityLinked { replayed member { id identities { kind verified } } }",
    "setConsent": "... on ConsentSet { replayed consents { merchant { id } purpose granted } }",
    "replaceCard": "... on CardReplaced { replayed card { id number status } }",
    "freezeMember": "... on MemberFrozen { replayed member { id status } }",
    "join": "... on VerificationFailedRefusal { attemptsLeft } "
    "... on Joined { replayed alreadyMember member { id status card { id number } } "
    "membership { id merchantId } firstOrderCoupon { id merchantId } }",
}


class Everyone:
    """Takes every card and merchant for known."""

    async def has_card(self, card_id: str) -> bool:
        return True

    async def has_merchant(self, merchant_id: str) -> bool:
        return True


@asynccontextmanager
async def open_alliance(
    directory: Path, *, door: Door | None = None, clock: SetClock | None = None, **options: Any
) -> AsyncIterator[House]:
    """A running alliance in `directory`, closed afterwards."""
    clock, door, ids = clock or SetClock(START), door or Door(), RandomIds()
    running: list[AllianceSubgraph] = []

    def backend_settings() -> MerchantSettings:
        in_force = running[0].ledger_settings
        return MerchantSettings(in_force.currency, in_force.time_zone, ALLIANCE_MERCHANT_ID)

    async with AsyncExitStack() as stack:
        ledger = await LedgerSubgraph.open(
            directory / "ledger.db",
            clock=clock,
            ids=ids,
            settings=lambda: running[0].ledger_settings,
            registry=Everyone(),
        )
        stack.push_async_callback(ledger.close)
        merchants = await HostedMerchants.open(
            address_in(directory, "merchants"), clock=clock, ids=ids, settings=backend_settings
        )
        stack.push_async_callback(merchants.close)
        door.hosted = merchants.backend
        alliance = await AllianceSubgraph.open(
            address_in(directory, "alliance"),
            clock=clock,
            ids=ids,
            ledger=ledger.ledger,
            backend=cast(Backend, door),
            **options,
        )
        stack.push_async_callback(alliance.close)
        running.append(alliance)
        await alliance.resume()
        yield House(alliance, clock, ledger.ledger, door)


def merchant_caller(merchant_id: str, store_id: str | None = None) -> Caller:
    """A till of the merchant."""
    return Caller(CallerKind.MERCHANT, merchant_id, store_id=store_id)


def member_caller(member_id: str) -> Caller:
    """The member's app."""
    return Caller(CallerKind.MEMBER, member_id)
