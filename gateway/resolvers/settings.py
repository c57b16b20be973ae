"""Fills the alliance's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from gateway.resolvers import merchants
from gateway.resolvers.context import AllianceInfo
from gateway.schema import settings as types

if TYPE_CHECKING:
    from gateway.schema.merchants import Merchant
    from gateway.schema.settings import AllianceSettings


def alliance_settings(info: AllianceInfo) -> AllianceSettings | None:
    """Settings in force now."""
    _ = info.context.caller
    return types.AllianceSettings.of(info.context.alliance.settings)


def settings_merchant(root: strawberry.Parent[AllianceSettings], info: AllianceInfo) -> Merchant:
    """The alliance as a merchant."""
    return merchants.known_merchant(info.context, ALLIANCE_MERCHANT_ID)
