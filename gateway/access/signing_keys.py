"""Keys that tokens are checked with: a key set from a file or URL, and the development key."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey

DEVELOPMENT_ISSUER = "alliance-development"
DEVELOPMENT_KEY_FILE = "development-key.json"
KEY_SET_BYTES_MAX = 1_048_576
KEY_SET_TIMEOUT_S = 5

VerifyingKey = RSAKey | ECKey | OKPKey


class KeysUnavailable(Exception):
    """The key set can not be read, or holds no key that could check a token."""


class KeySource(Protocol):
    """Where public keys come from."""

    async def read(self) -> Mapping[str, VerifyingKey]:
        """Keys by their id.

        Raises:
            KeysUnavailable: there are none to be had now.
        """
        ...


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """Whose tokens are taken.

    Attributes:
        issuer: the `iss` its tokens carry.
        audience: must be among their `aud`.
        keys: its keys.
    """

    issuer: str
    audience: str
    keys: KeySource


class KeySetFile:
    """The key set (JWKS) in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> Mapping[str, VerifyingKey]:
        """Keys by their id.

        Raises:
            KeysUnavailable: the file can not be read, or holds none.
        """
        try:
            text = await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise KeysUnavailable(f"can not read the key set {self._path}: {error}") from error
        return keys_of(text, where=str(self._path))


class KeySetUrl:
    """The key set (JWKS) that an identity provider publishes."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def read(self) -> Mapping[str, VerifyingKey]:
        """Keys by their id.

        Raises:
            KeysUnavailable: the provider does not answer in time, or its answer holds none.
        """
        timeout = aiohttp.ClientTimeout(total=KEY_SET_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self._url, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise KeysUnavailable(f"no key set from {self._url}: HTTP {response.status}")
                text = await _read_at_most(response, KEY_SET_BYTES_MAX)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KeysUnavailable(f"no key set from {self._url}: {error}") from error
        return keys_of(text, where=self._url)


async def _read_at_most(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    text = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        text += chunk
        if len(text) > bytes_max:
            raise aiohttp.ClientPayloadError("the key set is too large")
    return bytes(text)


class DevelopmentKey:
    """The key in a data directory that `alliance token` signs with. Not for production."""

    def __init__(self, key: ECKey) -> None:
        self.key = key

    @classmethod
    def open(cls, directory: Path) -> DevelopmentKey:
        """The key of the directory, made when there is none; only its owner may read the file.

        Raises:
            KeysUnavailable: the file can not be read or made.
        """
        path = directory / DEVELOPMENT_KEY_FILE
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write_new_key(path)
            return cls(ECKey.import_key(orjson.loads(path.read_bytes())))
        except (OSError, ValueError, JoseError) as error:
            raise KeysUnavailable(f"can not use the development key {path}: {error}") from error

    @property
    def kid(self) -> str:
        """The key's id: its thumbprint."""
        return self.key.thumbprint()

    async def read(self) -> Mapping[str, VerifyingKey]:
        """This one key, by its id."""
        return {self.kid: self.key}


def _write_new_key(path: Path) -> None:
    """Makes the file whole or not at all; whoever comes second keeps the first one's key."""
    key = ECKey.generate_key("P-256", private=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(key.as_dict(private=True)))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()


def keys_of(text: bytes, *, where: str) -> Mapping[str, VerifyingKey]:
    """Keys of a JWKS by their id; symmetric keys, and keys without an id, are left out.

    Raises:
        KeysUnavailable: it is no key set, or no key is left.
    """
    try:
        entries: Any = orjson.loads(text)["keys"]
        imported = [
            JWKRegistry.import_key(entry)
            for entry in entries
            if entry.get("kty") in ("RSA", "EC", "OKP") and entry.get("use", "sig") == "sig"
        ]
    except (ValueError, TypeError, KeyError, AttributeError, JoseError) as error:
        raise KeysUnavailable(f"{where} holds no key set: {error}") from error
    keys = {key.kid: key for key in imported if key.kid and not isinstance(key, OctKey)}
    if not keys:
        raise KeysUnavailable(f"{where} holds no public key with an id")
    return keys
