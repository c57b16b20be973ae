"""Keeps every version of the alliance's settings, and the one in force at hand."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, Text, insert, select

from gateway.alliance.begun_work import BegunWork
from gateway.alliance.settings import (
    AllianceSettings,
    DepositPolicy,
    PointsExpiry,
    SettingValues,
    check_change,
    check_settings,
)
from gateway.alliance.tables import METADATA, REQUESTS
from kernel.callers import Caller
from kernel.clock import Clock, from_micros, to_micros
from kernel.database import Database
from kernel.graphql import Forbidden
from kernel.request_keys import request_key
from kernel.requests import RequestKey
from kernel.units import Ratio
from ledger.contract import DebtPolicy, Ledger

SETTINGS = Table(
    "alliance_settings",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("effective_from", Integer, nullable=False),
    Column("currency", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("earn_points_per_major_unit", Integer, nullable=False),
    Column("member_point_value", Text, nullable=False),
    Column("activation_days_store", Integer, nullable=False),
    Column("activation_days_online", Integer, nullable=False),
    Column("expiry", Text, nullable=False),
    Column("expiry_months", Integer, nullable=True),
    Column("debt_policy", Text, nullable=False),
    Column("deposit_policy", Text, nullable=False),
    Column("points_cap_bps", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ConfigureAlliance:
    """Asks for a new version of the settings."""

    request_id: str
    values: SettingValues


@dataclass(frozen=True, slots=True)
class AllianceConfigured:
    """The version that the request made."""

    settings: AllianceSettings
    replayed: bool


class SettingsBook:
    """The versions of one alliance."""

    def __init__(
        self,
        database: Database,
        *,
        begun: BegunWork,
        clock: Clock,
        ledger: Ledger,
        current: AllianceSettings,
    ) -> None:
        self._begun = begun
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self.current = current

    @classmethod
    async def open(
        cls,
        database: Database,
        *,
        begun: BegunWork,
        clock: Clock,
        ledger: Ledger,
    ) -> SettingsBook:
        """The book, with the defaults as version 1 when it is new."""
        now = clock.now()

        def work(connection: Connection) -> AllianceSettings:
            found = read_latest(connection)
            if found is not None:
                return found
            first = AllianceSettings(1, now, SettingValues())
            insert_version(connection, first)
            return first

        return cls(
            database,
            begun=begun,
            clock=clock,
            ledger=ledger,
            current=await database.transaction(work),
        )

    async def configure(self, caller: Caller, command: ConfigureAlliance) -> AllianceConfigured:
        """Makes the next version, in force at once.

        Raises:
            Forbidden: the caller is no admin.
            InvalidInput: a value beyond its limits, or another currency after a booking.
            RequestIdReused: the request id came with another input.
        """
        if not caller.is_admin:
            raise Forbidden
        key = request_key(caller, "configureAlliance", command)
        return await self._begun.carry_out(self._configure(command, key))

    async def _configure(self, command: ConfigureAlliance, key: RequestKey) -> AllianceConfigured:
        booked = await self._ledger.has_entries()
        now = self._clock.now()

        def decide(connection: Connection) -> dict[str, Any]:
            latest = read_latest(connection)
            assert latest is not None
            check_settings(command.values)
            check_change(command.values, in_force=latest.values, anything_booked=booked)
            following = AllianceSettings(latest.version + 1, now, command.values)
            insert_version(connection, following)
            return {"version": following.version}

        answer = await self._database.transaction(
            lambda connection: REQUESTS.answer_once(
                connection, key, now=now, work=lambda: decide(connection)
            )
        )
        version = answer.success()["version"]
        settings = await self._database.snapshot(
            lambda connection: read_version(connection, version)
        )
        self.take(settings)
        return AllianceConfigured(settings, answer.replayed)

    def take(self, settings: AllianceSettings) -> None:
        """Has a version that was committed at hand, unless a later one is."""
        if settings.version > self.current.version:
            self.current = settings


def read_latest(connection: Connection) -> AllianceSettings | None:
    """The version in force; None in a new database."""
    row = connection.execute(
        select(SETTINGS).order_by(SETTINGS.c.version.desc()).limit(1)
    ).one_or_none()
    return None if row is None else _settings_of(row)


def read_version(connection: Connection, version: int) -> AllianceSettings:
    """One version, which exists."""
    return _settings_of(
        connection.execute(select(SETTINGS).where(SETTINGS.c.version == version)).one()
    )


def insert_version(connection: Connection, settings: AllianceSettings) -> None:
    """Keeps a version that is new."""
    values = {
        field.name: getattr(settings.values, field.name)
        for field in dataclasses.fields(settings.values)
    }
    connection.execute(
        insert(SETTINGS).values(
            version=settings.version,
            effective_from=to_micros(settings.effective_from),
            **{**values, "member_point_value": str(settings.values.member_point_value)},
        )
    )


def _settings_of(row: Any) -> AllianceSettings:
    return AllianceSettings(
        version=row.version,
        effective_from=from_micros(row.effective_from),
        values=SettingValues(
            currency=row.currency,
            time_zone=row.time_zone,
            earn_points_per_major_unit=row.earn_points_per_major_unit,
            member_point_value=Ratio.parse(row.member_point_value),
            activation_days_store=row.activation_days_store,
            activation_days_online=row.activation_days_online,
            expiry=PointsExpiry(row.expiry),
            expiry_months=row.expiry_months,
            debt_policy=DebtPolicy(row.debt_policy),
            deposit_policy=DepositPolicy(row.deposit_policy),
            points_cap_bps=row.points_cap_bps,
        ),
    )
