"""Which tokens are taken, and what the others are told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import stat
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from gateway.access.authentication import Authenticator, TokenRules, Unauthenticated
from gateway.access.signing_keys import (
    DevelopmentKey,
    KeySetFile,
    KeysUnavailable,
    TrustedIssuer,
    VerifyingKey,
)
from gateway.access.tokens import development_token
from kernel.callers import Caller, CallerKind
from tests.gateway.http.running import (
    AUDIENCE,
    GRAPHQL,
    MEMBER_ID,
    MERCHANT_ID,
    Server,
    serving,
)

NOW = 1_800_000_000.0
ISSUER = "https://id.example"


class ChangingKeys:
    """A key source whose keys a test changes."""

    def __init__(self, *keys: VerifyingKey) -> None:
        self.keys = list(keys)
        self.readings = 0

    async def read(self) -> Mapping[str, VerifyingKey]:
        self.readings += 1
        return {key.kid: key for key in self.keys if key.kid}


def ec_key(kid: str = "ec") -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": kid})


def claims(**changes: Any) -> dict[str, Any]:
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": MEMBER_ID,
        "scope": "member",
        "iat": int(NOW),
        "exp": int(NOW) + 60,
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def signed(key: Any, alg: str, given: dict[str, Any], **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid, **header}, given, key, algorithms=[alg])


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def authenticator_of(keys: Any, clock: Clock | None = None, **rules: int) -> Authenticator:
    async def card_of_member(member_id: str) -> str | None:
        return f"card_of_{member_id}"

    return Authenticator(
        [TrustedIssuer(ISSUER, AUDIENCE, keys)],
        unix_time=clock or Clock(),
        card_of_member=card_of_member,
        rules=TokenRules(**rules),
    )


async def caller_of(key: Any, alg: str, given: dict[str, Any]) -> Caller | None:
    return await authenticator_of(ChangingKeys(key)).caller(f"Bearer {signed(key, alg, given)}")


async def test_no_header_is_nobody() -> None:
    assert await authenticator_of(ChangingKeys(ec_key())).caller(None) is None


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ec_key(), "ES256"),
        (OKPKey.generate_key("Ed25519", parameters={"kid": "okp"}), "EdDSA"),
        (OKPKey.generate_key("Ed25519", parameters={"kid": "okp"}), "Ed25519"),
        (RSAKey.generate_key(2048, parameters={"kid": "rsa"}), "RS256"),
    ],
    ids=["ES256", "EdDSA", "Ed25519", "RS256"],
)
async def test_every_listed_algorithm_is_taken(key: Any, alg: str) -> None:
    caller = await caller_of(key, alg, claims())

    assert caller == Caller(CallerKind.MEMBER, MEMBER_ID, card_id=f"card_of_{MEMBER_ID}")


async def test_a_merchant_token_names_store_and_device() -> None:
    given = claims(sub=MERCHANT_ID, scope="merchant", store="sto_1", device="till-7")

    assert await caller_of(ec_key(), "ES256", given) == Caller(
        CallerKind.MERCHANT, MERCHANT_ID, store_id="sto_1", device="till-7"
    )


async def test_store_and_device_mean_nothing_in_other_tokens() -> None:
    given = claims(sub="ada", scope="admin", store="sto_1", device="till-7")

    assert await caller_of(ec_key(), "ES256", given) == Caller(CallerKind.ADMIN, "ada")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": int(NOW) - 31}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"nbf": int(NOW) + 31}, "not good yet"),
        ({"iat": int(NOW) + 31}, "not good yet"),
        ({"iss": None}, "issuer"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": None}, "audience"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["another"]}, "audience"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "x" * 201}, "sub"),
        ({"scope": None}, "scope"),
        ({"scope": "root"}, "scope"),
        ({"scope": "member admin"}, "scope"),
        ({"scope": ["member"]}, "scope"),
        ({"scope": "merchant", "store": 7}, "store"),
    ],
)
async def test_a_token_with_a_claim_that_does_not_hold_is_refused(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unauthenticated, match=why):
        await caller_of(ec_key(), "ES256", claims(**changes))


@pytest.mark.parametrize(
    "changes",
    [{"exp": int(NOW) - 29}, {"nbf": int(NOW) + 29}, {"aud": ["another", AUDIENCE]}],
)
async def test_clocks_may_differ_a_little_and_audiences_may_be_several(
    changes: dict[str, Any],
) -> None:
    assert await caller_of(ec_key(), "ES256", claims(**changes)) is not None


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


async def test_an_unsigned_token_is_refused() -> None:
    for alg in ("none", "None", "NONE"):
        token = f"{part({'alg': alg, 'kid': 'ec'})}.{part(claims())}."
        with pytest.raises(Unauthenticated):
            await authenticator_of(ChangingKeys(ec_key())).caller(f"Bearer {token}")


async def test_a_public_key_used_as_a_shared_secret_is_refused() -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "rsa"})
    pem = key.as_pem(private=False)
    header, body = part({"alg": "HS256", "kid": "rsa"}), part(claims())
    mac = hmac.new(pem, f"{header}.{body}".encode(), hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    with pytest.raises(Unauthenticated):
        await authenticator_of(ChangingKeys(key)).caller(f"Bearer {header}.{body}.{signature}")


async def test_a_good_signature_by_an_algorithm_that_is_not_listed_is_refused() -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "rsa"})

    with pytest.raises(Unauthenticated, match="signature"):
        await caller_of(key, "PS256", claims())


async def test_a_token_changed_after_signing_is_refused() -> None:
    key = ec_key()
    header, body, signature = signed(key, "ES256", claims()).split(".")
    forged = part(claims(scope="admin"))
    authenticator = authenticator_of(ChangingKeys(key))

    for token in (f"{header}.{forged}.{signature}", f"{header}.{body}.{signature[:-4]}AAAA"):
        with pytest.raises(Unauthenticated, match="signature"):
            await authenticator.caller(f"Bearer {token}")


async def test_a_token_of_another_key_with_the_same_id_is_refused() -> None:
    token = signed(ec_key(), "ES256", claims())

    with pytest.raises(Unauthenticated, match="signature"):
        await authenticator_of(ChangingKeys(ec_key())).caller(f"Bearer {token}")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b", "Bearer a.b.c", "Bearer " + "x" * 9_000],
)
async def test_a_header_without_a_signed_token_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator_of(ChangingKeys(ec_key())).caller(header)


async def test_a_new_key_is_learnt_when_a_token_names_it_but_not_too_often() -> None:
    clock, keys = Clock(), ChangingKeys(ec_key("old"))
    authenticator = authenticator_of(keys, clock, refresh_s=30)
    await authenticator.refresh()
    new = ec_key("new")
    token = signed(new, "ES256", claims())

    for _ in range(3):
        with pytest.raises(Unauthenticated, match="key is unknown"):
            await authenticator.caller(f"Bearer {token}")
    assert keys.readings == 1

    keys.keys.append(new)
    clock.now += 30
    assert await authenticator.caller(f"Bearer {token}") is not None
    assert keys.readings == 2


async def test_a_key_of_one_issuer_signs_for_no_other() -> None:
    ours, theirs = ec_key("ours"), ec_key("theirs")
    authenticator = Authenticator(
        [
            TrustedIssuer(ISSUER, AUDIENCE, ChangingKeys(ours)),
            TrustedIssuer("https://partner.example", AUDIENCE, ChangingKeys(theirs)),
        ],
        unix_time=Clock(),
    )

    with pytest.raises(Unauthenticated, match="issuer"):
        await authenticator.caller(f"Bearer {signed(theirs, 'ES256', claims())}")


async def test_a_verified_token_is_taken_again_until_it_expires() -> None:
    clock, keys = Clock(), ChangingKeys(ec_key())
    authenticator = authenticator_of(keys, clock, cache_s=3_600)
    header = f"Bearer {signed(keys.keys[0], 'ES256', claims())}"
    first = await authenticator.caller(header)

    clock.now += 89
    assert await authenticator.caller(header) is first

    clock.now += 1
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.caller(header)


async def test_a_removed_key_stops_being_good_within_the_cache_time() -> None:
    clock, keys = Clock(), ChangingKeys(ec_key())
    authenticator = authenticator_of(keys, clock, cache_s=10)
    header = f"Bearer {signed(keys.keys[0], 'ES256', claims())}"
    await authenticator.caller(header)
    keys.keys = [ec_key("another")]
    await authenticator.refresh()

    clock.now += 10
    with pytest.raises(Unauthenticated, match="key is unknown"):
        await authenticator.caller(header)


async def test_the_cache_of_tokens_has_a_limit() -> None:
    keys = ChangingKeys(ec_key())
    authenticator = authenticator_of(keys, cache_size=2)
    for number in range(5):
        token = signed(keys.keys[0], "ES256", claims(sub=f"mem_{number}"))
        await authenticator.caller(f"Bearer {token}")

    assert len(authenticator._known) == 2


async def test_a_key_set_file_is_read_without_its_symmetric_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    public = ec_key("ec").as_dict(private=False)
    secret = OctKey.generate_key(256, parameters={"kid": "oct"}).as_dict(private=True)
    path.write_bytes(orjson.dumps({"keys": [public, secret]}))

    assert set(await KeySetFile(path).read()) == {"ec"}


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"keys":[]}', b'{"keys":[{"kty":"EC"}]}'])
async def test_a_file_that_is_no_key_set_is_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(text)

    with pytest.raises(KeysUnavailable, match=r"keys\.json"):
        await KeySetFile(path).read()


def test_the_development_key_stays_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first, second = DevelopmentKey.open(tmp_path), DevelopmentKey.open(tmp_path)

    assert first.kid == second.kid
    [file] = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as running:
        yield running


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_a_bad_token_is_401_with_a_challenge(server: Server, accept: str) -> None:
    response = await server.post(
        "{ greeting }", headers={"authorization": "Bearer a.b.c", "accept": accept}
    )

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer realm="alliance", error=')
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert server.subgraph.contexts == []


async def test_two_authorization_headers_are_refused(server: Server) -> None:
    token = server.token(CallerKind.ADMIN)
    response = await server.client.post(
        "/graphql",
        json={"query": "{ greeting }"},
        headers=[("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")],
    )

    assert response.status_code == 401


async def test_the_caller_reaches_the_subgraphs(server: Server) -> None:
    response = await server.post("{ secret }", headers=server.bearer(CallerKind.MEMBER))

    assert response.json() == {"data": {"secret": "member only"}}
    assert server.context.caller.is_member(MEMBER_ID)


async def test_development_tokens_expire_in_real_time(server: Server) -> None:
    token = development_token(
        server.key,
        Caller(CallerKind.ADMIN, "ada"),
        audience=AUDIENCE,
        now=time.time() - 120,
        lifetime_s=60,
    )
    response = await server.post("{ greeting }", headers={"authorization": f"Bearer {token}"})

    assert response.status_code == 401
    assert "expired" in response.json()["errors"][0]["message"]
