"""What the environment sets; the only reader of it."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.assembly.databases import Databases
from gateway.http.limits import EndpointLimits, OperationLimits
from gateway.membership.referrals import REWARD_MINOR
from gateway.webhooks.signing import key_of
from ledger.contract import GRANT_BUDGET_MINOR
from ledger.stores.lanes import LANES_MAX

_PREFIX = "ALLIANCE_"
_OF_A_SERVICE = re.compile(r"_SERVICE_(HOST|PORT)|_PORT_\d+_")
Count = Annotated[int, Field(gt=0)]

_OPERATION = OperationLimits()
_ENDPOINT = EndpointLimits()


class SettingsInvalid(Exception):
    """A variable of the environment has a value that is not taken."""


class Settings(BaseSettings):
    """Every setting, each the variable `ALLIANCE_` and its name in capitals; see docs/api.md."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    data: Path = Path("alliance-data")
    database_url: str = ""
    ledger_database_url: str = ""
    merchants_database_url: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8_000
    explorer: bool = True
    development: bool = False
    show_codes: bool = False

    token_keys: str = ""
    token_issuer: str = ""
    token_audience: str = "alliance"
    development_tokens: bool | None = None

    referral_reward_minor: Annotated[int, Field(ge=0)] = REWARD_MINOR
    webhook_url: str = ""
    webhook_secret: SecretStr = SecretStr("")

    ledger_lanes: Annotated[int, Field(ge=1, le=LANES_MAX)] | None = None
    grant_budget_minor: Annotated[int, Field(ge=0)] = GRANT_BUDGET_MINOR

    body_bytes_max: Count = _ENDPOINT.body_bytes_max
    deadline_ms_max: Count = _ENDPOINT.deadline_ms_max
    concurrent_max: Count = _ENDPOINT.concurrent_max
    document_chars_max: Count = _OPERATION.document_chars_max
    tokens_max: Count = _OPERATION.tokens_max
    depth_max: Count = _OPERATION.depth_max
    fields_max: Count = _OPERATION.fields_max
    root_fields_max: Count = _OPERATION.root_fields_max
    aliases_max: Count = _OPERATION.aliases_max
    operations_max: Count = _OPERATION.operations_max
    cost_max: Count = 100_000

    @property
    def takes_development_tokens(self) -> bool:
        """Whether the key in the data directory is trusted: unless said, only without others."""
        if self.development_tokens is None:
            return not self.token_keys
        return self.development_tokens

    def databases(self, directory: Path) -> Databases:
        """Where the databases are: in the data directory unless a URL says otherwise.

        Raises:
            ValueError: a URL that names no database.
        """
        return Databases.in_files_of(
            directory,
            alliance=self.database_url,
            ledger=self.ledger_database_url,
            merchants=self.merchants_database_url,
        )

    @property
    def limits(self) -> EndpointLimits:
        """The limits of the GraphQL endpoint."""
        return EndpointLimits(
            body_bytes_max=self.body_bytes_max,
            deadline_ms_max=self.deadline_ms_max,
            concurrent_max=self.concurrent_max,
            operation=OperationLimits(
                depth_max=self.depth_max,
                fields_max=self.fields_max,
                root_fields_max=self.root_fields_max,
                aliases_max=self.aliases_max,
                operations_max=self.operations_max,
                document_chars_max=self.document_chars_max,
                tokens_max=self.tokens_max,
            ),
        )


def unknown_variables() -> dict[str, str | None]:
    """Variables that are named like settings and are none, each with the setting it resembles.

    Those that Kubernetes makes of a service called `alliance` are left out.
    """
    known = [name.upper() for name in Settings.model_fields]
    unknown = [
        name
        for name in sorted(os.environ)
        if name.startswith(_PREFIX)
        and name.removeprefix(_PREFIX) not in known
        and not _OF_A_SERVICE.search(name)
    ]
    resembled = [get_close_matches(name.removeprefix(_PREFIX), known, n=1) for name in unknown]
    return {
        name: _PREFIX + like[0] if like else None
        for name, like in zip(unknown, resembled, strict=True)
    }


def read_settings() -> Settings:
    """The settings that hold now.

    Raises:
        SettingsInvalid: a variable has a value that is not taken.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        faults = [
            f"{_PREFIX}{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise SettingsInvalid("; ".join(faults)) from None
    if settings.token_keys and not settings.token_issuer:
        raise SettingsInvalid("ALLIANCE_TOKEN_ISSUER: needed beside ALLIANCE_TOKEN_KEYS")
    try:
        settings.databases(settings.data)
    except ValueError as error:
        raise SettingsInvalid(f"ALLIANCE_…DATABASE_URL: {error}") from None
    _check_webhook(settings)
    return settings


def _check_webhook(settings: Settings) -> None:
    secret = settings.webhook_secret.get_secret_value()
    if bool(settings.webhook_url) != bool(secret):
        raise SettingsInvalid("ALLIANCE_WEBHOOK_URL and ALLIANCE_WEBHOOK_SECRET: both or neither")
    if not settings.webhook_url:
        return
    if not settings.webhook_url.startswith(("http://", "https://")):
        raise SettingsInvalid("ALLIANCE_WEBHOOK_URL: an http or https URL")
    try:
        key_of(secret)
    except ValueError as error:
        raise SettingsInvalid(f"ALLIANCE_WEBHOOK_SECRET: {error}") from None
