"""Which tokens a server takes, by its settings."""

from __future__ import annotations

from pathlib import Path

from gateway.access.signing_keys import (
    DEVELOPMENT_ISSUER,
    DevelopmentKey,
    KeySetFile,
    KeySetUrl,
    TrustedIssuer,
)
from gateway.settings import Settings


def trusted_issuers(settings: Settings, *, directory: Path | None) -> list[TrustedIssuer]:
    """The issuers whose tokens are taken; none when the settings name none.

    Args:
        directory: where the development key lies; None when there is no data directory.

    Raises:
        KeysUnavailable: the development key can not be read or made.
    """
    issuers: list[TrustedIssuer] = []
    if settings.token_keys:
        is_url = settings.token_keys.startswith(("https://", "http://"))
        issuers.append(
            TrustedIssuer(
                settings.token_issuer,
                settings.token_audience,
                KeySetUrl(settings.token_keys) if is_url else KeySetFile(Path(settings.token_keys)),
            )
        )
    if directory is not None and settings.takes_development_tokens:
        issuers.append(
            TrustedIssuer(
                DEVELOPMENT_ISSUER, settings.token_audience, DevelopmentKey.open(directory)
            )
        )
    return issuers
