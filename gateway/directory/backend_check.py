"""Whether a remote backend can be admitted."""

from __future__ import annotations

from typing import Protocol

from gateway.directory.refusals import BackendUnfit


class BackendCheck(Protocol):
    """Says whether a remote backend can be admitted."""

    async def __call__(self, endpoint: str) -> None:
        """Accepts a backend that serves the merchant schema.

        Raises:
            BackendUnfit: it does not, or does not answer.
        """
        ...


async def no_remote_backends(endpoint: str) -> None:
    """For a gateway that reaches no remote backend.

    Raises:
        BackendUnfit: always.
    """
    raise BackendUnfit(
        problems=[
            [
                "backend.endpoint",
                "can not be reached by this gateway, which hosts every merchant's data",
            ],
            ["backend.kind", "must be HOSTED here, without an endpoint"],
        ]
    )
