"""Tells who asks, from a bearer token."""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning

from gateway.access.signing_keys import KeysUnavailable, TrustedIssuer, VerifyingKey
from gateway.http.request import HttpRefused
from gateway.http.responses import CHALLENGE
from kernel.callers import Caller, CallerKind

ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "RS256")
TOKEN_CHARS_MAX = 8_192
SUBJECT_CHARS_MAX = 200

CardOfMember = Callable[[str], Awaitable[str | None]]


class Unauthenticated(HttpRefused):
    """A token was given and is not good."""

    def __init__(self, why: str) -> None:
        challenge = f'{CHALLENGE}, error="invalid_token", error_description="{why}"'
        super().__init__(
            401, "UNAUTHENTICATED", f"The token is refused: {why}.", {"www-authenticate": challenge}
        )


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How strictly tokens are read.

    Attributes:
        leeway_s: seconds by which clocks may differ.
        cache_size: verified tokens that are kept.
        cache_s: longest time for which a verified token is taken again unread.
        refresh_s: shortest time between two readings of a key set for the sake of an unknown key.
    """

    leeway_s: int = 30
    cache_size: int = 4_096
    cache_s: int = 60
    refresh_s: int = 30


class Anonymous:
    """Takes every caller for nobody, whatever header they send."""

    async def caller(self, authorization: str | None) -> Caller | None:
        """None."""
        return None


SurvivorOf = Callable[[str], Awaitable[str]]


async def _itself(member_id: str) -> str:
    return member_id


def _never_changes() -> int:
    return 0


async def _no_card(member_id: str) -> str | None:
    return None


class Authenticator:
    """Checks tokens, and remembers those that it checked.

    Args:
        issuers: whose tokens are taken.
        unix_time: real seconds since 1970; tokens expire in real time, whatever the business
            clock says.
        card_of_member: id of a member's card, or None when there is no such member.
        survivor_of: the member that an id means now; another one after a merge.
        epoch: grows whenever tokens that were verified before may name another member.
    """

    def __init__(
        self,
        issuers: Sequence[TrustedIssuer],
        *,
        unix_time: Callable[[], float],
        card_of_member: CardOfMember = _no_card,
        survivor_of: SurvivorOf = _itself,
        epoch: Callable[[], int] = _never_changes,
        rules: TokenRules | None = None,
    ) -> None:
        self._issuers = tuple(issuers)
        self._unix_time = unix_time
        self._card_of_member = card_of_member
        self._survivor_of = survivor_of
        self._epoch = epoch
        self._known_in_epoch = epoch()
        self._rules = rules or TokenRules()
        self._keys: dict[str, tuple[VerifyingKey, TrustedIssuer]] = {}
        self._keys_read_at = -math.inf
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()

    async def refresh(self) -> None:
        """Reads every issuer's keys anew.

        Raises:
            KeysUnavailable: an issuer's keys are not to be had; the old ones stay.
        """
        self._keys_read_at = self._unix_time()
        found: dict[str, tuple[VerifyingKey, TrustedIssuer]] = {}
        for issuer in self._issuers:
            for kid, key in (await issuer.keys.read()).items():
                found.setdefault(kid, (key, issuer))
        self._keys = found

    async def caller(self, authorization: str | None) -> Caller | None:
        """Whoever an `Authorization` header names; None without one.

        Raises:
            Unauthenticated: the header is no good token.
        """
        if authorization is None:
            return None
        if self._known_in_epoch != self._epoch():
            self._known_in_epoch = self._epoch()
            self._known.clear()
        known = self._known.get(authorization)
        if known is not None and self._unix_time() < known[1]:
            return known[0]
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("send `Authorization: Bearer` and a token")
        claims = await self._verified(token.strip())
        caller = caller_of(claims)
        if caller.kind is CallerKind.MEMBER:
            member_id = await self._survivor_of(caller.subject)
            card_id = await self._card_of_member(member_id)
            caller = replace(caller, subject=member_id, card_id=card_id)
        self._remember(authorization, caller, expires_at=claims["exp"])
        return caller

    def _remember(self, authorization: str, caller: Caller, *, expires_at: float) -> None:
        if caller.kind is CallerKind.MEMBER and caller.card_id is None:
            return  # The member may join at any moment.
        now = self._unix_time()
        good_until = min(expires_at + self._rules.leeway_s, now + self._rules.cache_s)
        self._known[authorization] = (caller, good_until)
        self._known.move_to_end(authorization)
        if len(self._known) > self._rules.cache_size:
            self._known.popitem(last=False)

    async def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > TOKEN_CHARS_MAX:
            raise Unauthenticated("it is too long")
        key, issuer = await self._key_for(_key_id_of(token))
        registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            with warnings.catch_warnings():
                # The library warns of the name EdDSA, which many identity providers still write.
                warnings.simplefilter("ignore", SecurityWarning)
                decoded = jwt.decode(token, key, algorithms=ALGORITHMS, registry=registry)
        except (JoseError, ValueError, TypeError):
            raise Unauthenticated("its signature does not hold") from None
        claims: dict[str, Any] = decoded.claims
        check_claims(
            claims,
            issuer=issuer.issuer,
            audience=issuer.audience,
            now=self._unix_time(),
            leeway_s=self._rules.leeway_s,
        )
        return claims

    async def _key_for(self, kid: str) -> tuple[VerifyingKey, TrustedIssuer]:
        found = self._keys.get(kid)
        if found is None and self._unix_time() - self._keys_read_at >= self._rules.refresh_s:
            try:
                await self.refresh()
            except KeysUnavailable:
                raise Unauthenticated("its key can not be checked now") from None
            found = self._keys.get(kid)
        if found is None:
            raise Unauthenticated("its key is unknown")
        return found


def _key_id_of(token: str) -> str:
    """The key that the token says it is signed with; nothing of it is trusted yet."""
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError):
        raise Unauthenticated("it is no signed JWT") from None
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise Unauthenticated("it does not name its key")
    return kid


def check_claims(
    claims: Mapping[str, Any], *, issuer: str, audience: str, now: float, leeway_s: int
) -> None:
    """Nothing, when the claims hold here and now.

    Args:
        now: real seconds since 1970.

    Raises:
        Unauthenticated: a claim is missing or does not hold.
    """
    if claims.get("iss") != issuer:
        raise Unauthenticated("its issuer is another")
    audiences = claims.get("aud")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise Unauthenticated("it is meant for another audience")
    if _instant(claims, "exp") + leeway_s <= now:
        raise Unauthenticated("it has expired")
    for claim in ("nbf", "iat"):
        if claim in claims and _instant(claims, claim) - leeway_s > now:
            raise Unauthenticated("it is not good yet")


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unauthenticated(f"its {name} is no instant")
    return value


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """The caller that verified claims name.

    Raises:
        Unauthenticated: subject, scope, store or device are missing or malformed.
    """
    try:
        kind = CallerKind(claims.get("scope", ""))
    except ValueError:
        raise Unauthenticated("its scope is not one of member, merchant, admin") from None
    subject = _text(claims, "sub")
    if subject is None:
        raise Unauthenticated("it has no subject")
    is_merchant = kind is CallerKind.MERCHANT
    return Caller(
        kind=kind,
        subject=subject,
        store_id=_text(claims, "store") if is_merchant else None,
        device=_text(claims, "device") if is_merchant else None,
    )


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= SUBJECT_CHARS_MAX:
        raise Unauthenticated(f"its {name} is not text")
    return value
