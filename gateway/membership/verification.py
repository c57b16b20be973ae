"""One-time codes: sent to a phone or an e-mail address, good once, for five minutes, five tries.

The caller owns the transaction. See docs/rules/identity.md, rules 11 and 12.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from gateway.membership.identities import Credential, IdentityKind, value_hash
from gateway.membership.lookup_budget import RateLimited
from gateway.membership.refusals import VerificationFailed
from gateway.membership.tables import MESSAGE, VERIFICATION_CODE
from kernel.clock import from_micros, to_micros

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=5)
TRIES_MAX = 5
LIMIT_WINDOW = timedelta(hours=1)
CODES_PER_VALUE = 5
CODES_PER_MEMBER = 20
CODES_PER_MERCHANT = 600
CODE_KINDS = frozenset({IdentityKind.PHONE, IdentityKind.EMAIL})


@dataclass(frozen=True, slots=True)
class CodeToSend:
    """A code that is to be made.

    Attributes:
        id: of the code, and of the message that carries it.
        code: six digits.
        caller: who asks, for the limit.
        caller_max: codes that this caller may ask for in an hour.
    """

    id: str
    code: str
    credential: Credential
    caller: str
    caller_max: int
    now: datetime


def keep_code(connection: Connection, wanted: CodeToSend, *, secret: bytes) -> datetime:
    """Keeps a code and the message that carries it; from when the code is refused.

    Raises:
        RateLimited: too many codes for this value, or this caller, within the hour.

    Source: docs/rules/identity.md, rule 11.
    """
    hashed = value_hash(wanted.credential, secret=secret)
    _check_limits(connection, wanted, hashed)
    expires_at = wanted.now + CODE_LIFE
    connection.execute(delete(MESSAGE).where(MESSAGE.c.expires_at <= to_micros(wanted.now)))
    connection.execute(
        insert(VERIFICATION_CODE).values(
            id=wanted.id,
            kind=wanted.credential.kind,
            value_hash=hashed,
            code_hash=_code_hash(wanted.id, wanted.code, secret=secret),
            caller=wanted.caller,
            created_at=to_micros(wanted.now),
            expires_at=to_micros(expires_at),
            tries=0,
            is_used=False,
        )
    )
    connection.execute(
        insert(MESSAGE).values(
            id=wanted.id,
            kind=wanted.credential.kind,
            recipient=wanted.credential.value,
            body=wanted.code,
            created_at=to_micros(wanted.now),
            expires_at=to_micros(expires_at),
        )
    )
    return expires_at


def failed_check(
    connection: Connection, credential: Credential, code: str, *, now: datetime, secret: bytes
) -> VerificationFailed | None:
    """None when the code proves the credential, and is used up; else why not, the try counted.

    Only the newest code of a value is good.

    Source: docs/rules/identity.md, rule 12.
    """
    table = VERIFICATION_CODE.c
    row = connection.execute(
        select(VERIFICATION_CODE)
        .where(
            table.kind == credential.kind,
            table.value_hash == value_hash(credential, secret=secret),
        )
        .order_by(table.created_at.desc(), table.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.is_used or row.expires_at <= to_micros(now) or row.tries >= TRIES_MAX:
        return VerificationFailed(attempts_left=0)
    is_right = hmac.compare_digest(
        bytes(row.code_hash), _code_hash(row.id, code.strip(), secret=secret)
    )
    tries = row.tries + 1
    connection.execute(
        update(VERIFICATION_CODE).where(table.id == row.id).values(tries=tries, is_used=is_right)
    )
    if is_right:
        return None
    return VerificationFailed(attempts_left=TRIES_MAX - tries)


def _check_limits(connection: Connection, wanted: CodeToSend, hashed: bytes) -> None:
    table = VERIFICATION_CODE.c
    since = table.created_at > to_micros(wanted.now - LIMIT_WINDOW)
    of_value = (table.kind == wanted.credential.kind, table.value_hash == hashed)
    for conditions, most in (
        (of_value, CODES_PER_VALUE),
        ((table.caller == wanted.caller,), wanted.caller_max),
    ):
        counted = connection.execute(
            select(func.count(), func.min(table.created_at)).where(*conditions, since)
        ).one()
        if counted[0] >= most:
            free_at = from_micros(counted[1]) + LIMIT_WINDOW
            wait_s = int((free_at - wanted.now).total_seconds()) + 1
            raise RateLimited(retry_after_s=wait_s, what="codes")


def _code_hash(code_id: str, code: str, *, secret: bytes) -> bytes:
    return hmac.digest(secret, "\0".join(("code", code_id, code)).encode(), hashlib.sha256)
