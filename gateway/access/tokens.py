"""Signs tokens with the development key."""

from __future__ import annotations

from joserfc import jwt

from gateway.access.signing_keys import DEVELOPMENT_ISSUER, DevelopmentKey
from kernel.callers import Caller


def development_token(
    key: DevelopmentKey,
    caller: Caller,
    *,
    audience: str,
    now: float,
    lifetime_s: int,
) -> str:
    """A token that lets its bearer act as `caller`.

    Args:
        now: real seconds since 1970.
        lifetime_s: seconds for which it is good, > 0.
    """
    assert lifetime_s > 0
    claims: dict[str, str | int] = {
        "iss": DEVELOPMENT_ISSUER,
        "aud": audience,
        "sub": caller.subject,
        "scope": str(caller.kind),
        "iat": int(now),
        "exp": int(now) + lifetime_s,
    }
    if caller.store_id is not None:
        claims["store"] = caller.store_id
    if caller.device is not None:
        claims["device"] = caller.device
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key.key, algorithms=["ES256"])
