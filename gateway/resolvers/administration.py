"""Runs what admins ask for."""

from __future__ import annotations

from gateway.alliance import settings_book
from gateway.alliance.settings import SettingValues
from gateway.directory import admission, leaving
from gateway.resolvers.context import AllianceInfo
from gateway.schema.administration import (
    AdmitMerchantInput,
    AllianceConfigured,
    ChangeMerchantStateInput,
    ConfigureAllianceInput,
    MerchantAdmitted,
    MerchantStateChanged,
    OpenStoreInput,
    StoreOpened,
)
from gateway.schema.inputs import given
from gateway.schema.merchants import Merchant, Store
from gateway.schema.settings import AllianceSettings


async def configure_alliance(
    info: AllianceInfo, input: ConfigureAllianceInput
) -> AllianceConfigured:
    """Makes a new version of the settings."""
    done = await info.context.alliance.settings_book.configure(
        info.context.caller,
        settings_book.ConfigureAlliance(
            request_id=input.request_id,
            values=SettingValues(
                currency=input.currency.value,
                time_zone=input.time_zone,
                earn_points_per_major_unit=input.earn_points_per_major_unit,
                member_point_value=input.member_point_value,
                activation_days_store=input.activation_days_store,
                activation_days_online=input.activation_days_online,
                expiry=input.expiry,
                expiry_months=given(input.expiry_months),
                debt_policy=input.debt_policy,
                deposit_policy=input.deposit_policy,
                points_cap_bps=input.points_cap_bps,
            ),
        ),
    )
    return AllianceConfigured(replayed=done.replayed, settings=AllianceSettings.of(done.settings))


async def admit_merchant(info: AllianceInfo, input: AdmitMerchantInput) -> MerchantAdmitted:
    """Admits a merchant."""
    done = await info.context.alliance.admission.admit_merchant(
        info.context.caller,
        admission.AdmitMerchant(
            request_id=input.request_id,
            reference=input.reference,
            name=input.name,
            name_en=given(input.name_en),
            backend_kind=input.backend.kind,
            endpoint=given(input.backend.endpoint),
        ),
    )
    return MerchantAdmitted(replayed=done.replayed, merchant=Merchant.of(done.merchant))


async def open_store(info: AllianceInfo, input: OpenStoreInput) -> StoreOpened:
    """Opens a store."""
    done = await info.context.alliance.admission.open_store(
        info.context.caller,
        admission.OpenStore(
            request_id=input.request_id,
            merchant_id=input.merchant_id,
            reference=input.reference,
            name=input.name,
            channel=input.channel,
        ),
    )
    return StoreOpened(replayed=done.replayed, store=Store.of(done.store))


async def change_merchant_state(
    info: AllianceInfo, input: ChangeMerchantStateInput
) -> MerchantStateChanged:
    """Gives a merchant another state."""
    done = await info.context.alliance.leaving.change_state(
        info.context.caller,
        leaving.ChangeMerchantState(
            request_id=input.request_id,
            merchant_id=input.merchant_id,
            state=input.state,
            redeem_until=given(input.redeem_until),
        ),
    )
    return MerchantStateChanged(replayed=done.replayed, merchant=Merchant.of(done.merchant))
