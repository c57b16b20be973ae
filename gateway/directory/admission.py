"""Admits merchants and opens stores. See docs/rules/merchants.md."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.begun_work import BegunWork
from gateway.alliance.tables import REQUESTS
from gateway.directory import directory_sql
from gateway.directory.backend_check import BackendCheck
from gateway.directory.directory import Directory
from gateway.directory.entries import (
    BackendKind,
    Merchant,
    MerchantState,
    Store,
    StoreState,
)
from gateway.directory.health import BackendSilent
from gateway.directory.refusals import ReferenceTaken
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.graphql import ChannelKind, Forbidden
from kernel.ids import IdSource
from kernel.refusals import InvalidInput, NotFound
from kernel.request_keys import request_key
from kernel.requests import RequestKey
from kernel.text import is_title
from merchants import port
from merchants.refusals import MerchantNotActive

REFERENCE_MAX = 64
NAME_MAX = 120
ENDPOINT_MAX = 500


@dataclass(frozen=True, slots=True)
class AdmitMerchant:
    """Asks to admit a merchant.

    Attributes:
        reference: the alliance's own number, unique.
        endpoint: URL of a remote backend.
    """

    request_id: str
    reference: str
    name: str
    name_en: str | None
    backend_kind: BackendKind
    endpoint: str | None


@dataclass(frozen=True, slots=True)
class OpenStore:
    """Asks to open a store; `reference` is unique within the merchant."""

    request_id: str
    merchant_id: str
    reference: str
    name: str
    channel: ChannelKind


@dataclass(frozen=True, slots=True)
class MerchantAdmitted:
    """The merchant is in the alliance."""

    merchant: Merchant
    replayed: bool


@dataclass(frozen=True, slots=True)
class StoreOpened:
    """The store is open."""

    store: Store
    replayed: bool


class Admission:
    """Who may sell in the alliance, and where."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        backend: port.Backend,
        check_backend: BackendCheck,
        begun: BegunWork,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._begun = begun
        self._database = database
        self._directory = directory
        self._backend = backend
        self._check_backend = check_backend
        self._clock = clock
        self._ids = ids

    async def admit_merchant(self, caller: Caller, command: AdmitMerchant) -> MerchantAdmitted:
        """Admits a merchant after its backend was checked.

        Raises:
            Forbidden: the caller is no admin.
            InvalidInput: a value beyond its limits.
            ReferenceTaken: another merchant has the reference.
            BackendUnfit: the remote backend can not be used.
            RequestIdReused: the request id came with another input.
            BackendSilent: the backend that shall host it does not answer.
        """
        _require_admin(caller)
        key = request_key(caller, "admitMerchant", command)
        stored = await self._database.snapshot(lambda connection: REQUESTS.find(connection, key))
        is_remote = command.backend_kind is BackendKind.REMOTE
        if stored is None and is_remote and _is_http_url(command.endpoint):
            await self._check_backend(str(command.endpoint))
        return await self._begun.carry_out(self._admit(command, key))

    async def _admit(self, command: AdmitMerchant, key: RequestKey) -> MerchantAdmitted:
        now = self._clock.now()
        merchant_id = self._ids.new("mer")

        def admit(connection: Connection) -> dict[str, Any]:
            check_admission(command)
            if directory_sql.is_merchant_reference_taken(connection, command.reference):
                raise ReferenceTaken
            directory_sql.insert_merchant(
                connection,
                Merchant(
                    id=merchant_id,
                    reference=command.reference,
                    name=command.name.strip(),
                    name_en=command.name_en,
                    state=MerchantState.APPLIED,
                    backend_kind=command.backend_kind,
                    endpoint=command.endpoint,
                    admitted_at=now,
                ),
            )
            return {"merchantId": merchant_id}

        answer = await self._database.transaction(
            lambda connection: REQUESTS.answer_once(
                connection, key, now=now, work=lambda: admit(connection)
            )
        )
        merchant = await self._activate(answer.success()["merchantId"])
        return MerchantAdmitted(merchant, answer.replayed)

    async def open_store(self, caller: Caller, command: OpenStore) -> StoreOpened:
        """Opens a store of an active merchant.

        Raises:
            Forbidden: the caller is no admin.
            InvalidInput: a value beyond its limits.
            NotFound: there is no such merchant.
            MerchantNotActive: its state allows no new store.
            ReferenceTaken: another of its stores has the reference.
            RequestIdReused: the request id came with another input.
        """
        _require_admin(caller)
        key = request_key(caller, "openStore", command)
        return await self._begun.carry_out(self._open_store(command, key))

    async def _open_store(self, command: OpenStore, key: RequestKey) -> StoreOpened:
        now = self._clock.now()
        store = Store(
            id=self._ids.new("sto"),
            merchant_id=command.merchant_id,
            reference=command.reference,
            name=command.name.strip(),
            channel=command.channel,
            state=StoreState.OPEN,
            opened_at=now,
        )

        def open_it(connection: Connection) -> dict[str, Any]:
            check_store(command)
            merchant = directory_sql.read_merchant(connection, command.merchant_id)
            if merchant is None or merchant.is_alliance:
                raise NotFound(id=command.merchant_id)
            if merchant.state is not MerchantState.ACTIVE:
                raise MerchantNotActive(merchant_id=merchant.id)
            if directory_sql.is_store_reference_taken(
                connection, merchant_id=merchant.id, reference=command.reference
            ):
                raise ReferenceTaken
            directory_sql.insert_store(connection, store)
            return {"storeId": store.id}

        answer = await self._database.transaction(
            lambda connection: REQUESTS.answer_once(
                connection, key, now=now, work=lambda: open_it(connection)
            )
        )
        store_id = answer.success()["storeId"]
        if not answer.replayed:
            self._directory.put_store(store)
        opened = self._directory.store(store_id)
        assert opened is not None
        return StoreOpened(opened, answer.replayed)

    async def finish(self) -> None:
        """Activates every merchant whose admission was cut off, the alliance included.

        One whose backend does not answer stays as it is, for the next time.
        """
        merchants = await self._database.snapshot(directory_sql.read_merchants)
        for merchant in merchants:
            if merchant.state is MerchantState.APPLIED:
                with contextlib.suppress(BackendSilent):
                    await self._activate(merchant.id)

    async def _activate(self, merchant_id: str) -> Merchant:
        merchant, version = await self._database.snapshot(
            lambda connection: directory_sql.read_state_to_tell(connection, merchant_id)
        )
        if merchant.state is MerchantState.APPLIED:
            try:
                await self._backend.register(
                    merchant_id, port.MerchantState.ACTIVE, version=version
                )
            except (DatabaseUnavailable, Overloaded) as error:
                raise BackendSilent(merchant_id) from error
            merchant, version = await self._database.transaction(
                lambda connection: _make_active(connection, merchant_id)
            )
        self._directory.put_merchant(merchant, version=version)
        return merchant


def _make_active(connection: Connection, merchant_id: str) -> tuple[Merchant, int]:
    """The merchant, ACTIVE unless its state changed meanwhile, and the version of the directory."""
    merchant, version = directory_sql.read_state_to_tell(connection, merchant_id)
    if merchant.state is not MerchantState.APPLIED:
        return merchant, version
    directory_sql.update_merchant_state(connection, merchant_id, state=MerchantState.ACTIVE)
    return directory_sql.read_state_to_tell(connection, merchant_id)


def check_admission(command: AdmitMerchant) -> None:
    """Accepts an admission within its limits.

    Raises:
        InvalidInput: every fault found, in the order of the fields.

    Source: docs/rules/merchants.md, rule 1.
    """
    problems: list[list[str]] = []
    _check_text(problems, "reference", command.reference, longest=REFERENCE_MAX)
    _check_text(problems, "name", command.name, longest=NAME_MAX)
    if command.name_en is not None:
        _check_text(problems, "nameEn", command.name_en, longest=NAME_MAX)
    if command.backend_kind is BackendKind.HOSTED:
        if command.endpoint is not None:
            problems.append(["backend.endpoint", "must be left out for a hosted backend"])
    elif not _is_http_url(command.endpoint):
        problems.append(["backend.endpoint", "must be an http or https URL for a remote backend"])
    if problems:
        raise InvalidInput(problems)


def check_store(command: OpenStore) -> None:
    """Accepts a store within its limits.

    Raises:
        InvalidInput: every fault found, in the order of the fields.

    Source: docs/rules/merchants.md, rule 2.
    """
    problems: list[list[str]] = []
    _check_text(problems, "reference", command.reference, longest=REFERENCE_MAX)
    _check_text(problems, "name", command.name, longest=NAME_MAX)
    if problems:
        raise InvalidInput(problems)


def _check_text(problems: list[list[str]], field: str, text: str, *, longest: int) -> None:
    if not is_title(text, longest=longest):
        problems.append([field, f"must have 1 to {longest} printable characters"])


def _is_http_url(endpoint: str | None) -> bool:
    return (
        endpoint is not None
        and len(endpoint) <= ENDPOINT_MAX
        and endpoint.startswith(("http://", "https://"))
        and endpoint.isprintable()
        and " " not in endpoint
    )


def _require_admin(caller: Caller) -> None:
    if not caller.is_admin:
        raise Forbidden
