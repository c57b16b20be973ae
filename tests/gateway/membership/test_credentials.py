from __future__ import annotations

import pytest

from gateway.membership.identities import (
    IdentityKind,
    StatedCredential,
    credential_of,
    masked,
    value_hash,
)
from kernel.refusals import InvalidInput

SECRET = b"s" * 32


@pytest.mark.parametrize(
    ("kind", "written", "one_spelling"),
    [
        (IdentityKind.PHONE, "+86 138-0000-1234", "+8613800001234"),
        (IdentityKind.PHONE, "0044 (20) 7946.0958", "+442079460958"),
        (IdentityKind.EMAIL, " Ada@Example.COM ", "ada@example.com"),
        (IdentityKind.CARD_NUMBER, "4539 1488-0343 6467", "4539148803436467"),
        (IdentityKind.WECHAT_UNION_ID, " oUnion ", "oUnion"),
    ],
)
def test_a_credential_has_one_spelling(kind: IdentityKind, written: str, one_spelling: str) -> None:
    assert credential_of(StatedCredential(kind, written)).value == one_spelling


@pytest.mark.parametrize(
    ("kind", "written", "field"),
    [
        (IdentityKind.PHONE, "13800001234", "credential.phone"),
        (IdentityKind.PHONE, "+0613800001234", "credential.phone"),
        (IdentityKind.PHONE, "+" + "1" * 16, "credential.phone"),
        (IdentityKind.EMAIL, "ada@example", "credential.email"),
        (IdentityKind.EMAIL, "a b@example.com", "credential.email"),
        (IdentityKind.EMAIL, "a@" + "x" * 250 + ".com", "credential.email"),
        (IdentityKind.CARD_NUMBER, "4539148803436468", "credential.cardNumber"),
        (IdentityKind.CARD_NUMBER, "453914880343646", "credential.cardNumber"),
        (IdentityKind.CARD_TOKEN, "", "credential.cardToken"),
        (IdentityKind.CARD_TOKEN, "x" * 121, "credential.cardToken"),
        (IdentityKind.WECHAT_UNION_ID, "", "credential.wechatUnionId"),
        (IdentityKind.WECHAT_UNION_ID, "x" * 129, "credential.wechatUnionId"),
        (IdentityKind.MERCHANT_REFERENCE, "17", "credential.merchantReference"),
        (IdentityKind.WECHAT_OPEN_ID, "o\x00", "credential.wechatOpenId"),
    ],
)
def test_what_is_no_credential_is_refused_at_its_field(
    kind: IdentityKind, written: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        credential_of(StatedCredential(kind, written))

    assert refused.value.problems[0][0] == field


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (IdentityKind.PHONE, "+8613800001234", "138****1234"),
        (IdentityKind.PHONE, "+442079460958", "+44****0958"),
        (IdentityKind.PHONE, "+2901234", "+29****"),
        (IdentityKind.EMAIL, "ada@example.com", "a****@example.com"),
        (IdentityKind.WECHAT_UNION_ID, "oUnion1234", "****1234"),
    ],
)
def test_a_masked_value_can_be_recognised_and_not_restored(
    kind: IdentityKind, value: str, shown: str
) -> None:
    assert masked(credential_of(StatedCredential(kind, value))) == shown


def test_equal_values_of_different_kinds_and_issuers_are_found_apart() -> None:
    stated = [
        StatedCredential(IdentityKind.WECHAT_UNION_ID, "x"),
        StatedCredential(IdentityKind.WECHAT_OPEN_ID, "x", "app-1"),
        StatedCredential(IdentityKind.WECHAT_OPEN_ID, "x", "app-2"),
        StatedCredential(IdentityKind.MERCHANT_REFERENCE, "x", "app-1"),
    ]

    hashes = {value_hash(credential_of(each), secret=SECRET) for each in stated}

    assert len(hashes) == 4
    assert value_hash(credential_of(stated[0]), secret=b"t" * 32) not in hashes
