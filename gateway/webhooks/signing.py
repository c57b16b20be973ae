"""Signs messages as Standard Webhooks has it. Pure. See docs/rules/outbox.md, rule 7."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_PREFIX = "whsec_"
_KEY_BYTES_MIN = 24


def key_of(secret: str) -> bytes:
    """The key that `whsec_…` writes.

    Raises:
        ValueError: it is no such secret, or its key has fewer than 24 bytes.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < _KEY_BYTES_MIN:
        raise ValueError("a webhook secret is whsec_ and the base64 of 24 bytes or more")
    return key


def signed_headers(key: bytes, message_id: str, body: bytes, *, unix_time: int) -> dict[str, str]:
    """The headers by which a receiver knows who sent the body, and when."""
    signed = f"{message_id}.{unix_time}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(unix_time),
        "webhook-signature": f"v1,{signature}",
    }
