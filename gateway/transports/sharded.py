"""One subgraph on many backends: splits each operation by shard key, and rejoins the answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.federation.faults import FaultCode
from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    TransportFailed,
)
from gateway.transports.shard_documents import RootField, SplittableDocument
from gateway.transports.shard_replies import Part, RejoinedReply
from gateway.transports.shard_routes import (
    ByArgument,
    Division,
    FixedShard,
    NoShard,
    ShardDirectory,
)

__all__ = ["ByArgument", "FixedShard", "ShardDirectory", "ShardedTransport"]

_log = logging.getLogger(__name__)

TIMEOUT_S: Final = 5.0

# Parts give up this long before the deadline, so that what others answered is still handed on,
# also by a process that is busy with other requests: a tenth of the time there is.
_REJOIN_SHARE: Final = 0.1
_REJOIN_MIN_S: Final = 0.01
_REJOIN_MAX_S: Final = 0.1
_DOCUMENTS_MAX: Final = 5_000


class ShardedTransport:
    """Sends each shard its part of an operation, all at once, and rejoins the answers in order.

    A part that fails leaves null at its positions, and errors that name the shard. The root
    fields of a mutation run one after the other; neighbours on one transport go together.

    Args:
        directory: finds a shard's transport.
        shard_keys: per entity type, the key field that names the shard, or the one shard.
        routes: per root field, what names the shard.
        extension_name: entry of `extensions` that names the shard in errors.
        timeout_s: longest wait for one part; a deadline may end it sooner.
    """

    def __init__(
        self,
        directory: ShardDirectory,
        *,
        shard_keys: Mapping[str, str | FixedShard],
        routes: Mapping[str, ByArgument | FixedShard],
        extension_name: str,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        assert timeout_s > 0
        self._directory = directory
        self._shard_keys = shard_keys
        self._routes = routes
        self._extension_name = extension_name
        self._timeout_s = timeout_s
        self._stranger_check = {
            typename: key for typename, key in shard_keys.items() if isinstance(key, str)
        }
        self._documents: dict[str, SplittableDocument] = {}

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        """The reply of all shards together; what some of them failed at is among its errors."""
        document = self._document(request.document)
        rejoined = RejoinedReply(
            document.root_fields,
            extension_name=self._extension_name,
            stranger_check=self._stranger_check,
        )
        is_mutation = request.kind == "mutation"
        parts = self._parts(document, request, rejoined, in_order=is_mutation)
        asks = [self._ask(part, document, request, context, rejoined) for part in parts]
        if is_mutation or len(asks) == 1:
            for ask in asks:
                await ask
        elif asks:
            async with asyncio.TaskGroup() as group:
                for ask in asks:
                    group.create_task(ask)
        return rejoined.reply()

    def _document(self, text: str) -> SplittableDocument:
        document = self._documents.get(text)
        if document is None:
            if len(self._documents) >= _DOCUMENTS_MAX:
                self._documents.clear()
            document = self._documents[text] = SplittableDocument(text)
        return document

    def _parts(
        self,
        document: SplittableDocument,
        request: SubgraphRequest,
        rejoined: RejoinedReply,
        *,
        in_order: bool,
    ) -> Sequence[Part]:
        division = Division(self._directory, rejoined, in_order=in_order)
        for number, root_field in enumerate(document.root_fields):
            if root_field.representations is not None:
                representations = request.variables.get(root_field.representations) or []
                rejoined.open_field(root_field, len(representations))
                for index, representation in enumerate(representations):
                    place = (root_field.response_key, index)
                    division.add_entity(number, place, representation, self._shard_keys)
            else:
                rejoined.open_field(root_field, None)
                if root_field.name == "__typename":
                    rejoined.data[root_field.response_key] = request.kind.capitalize()
                    continue
                self._add_root_field(division, document, number, root_field, request.variables)
        return division.parts

    def _add_root_field(
        self,
        division: Division,
        document: SplittableDocument,
        number: int,
        root_field: RootField,
        variables: Mapping[str, Any],
    ) -> None:
        route = self._routes.get(root_field.name)

        def key() -> str:
            if route is None:
                raise NoShard("No shard answers this field.", FaultCode.INTERNAL, {}, "")
            if isinstance(route, FixedShard):
                return route.key
            try:
                return route.key_of(document.argument(root_field, route.path, variables))
            except ValueError:
                message = f"{'.'.join(route.path)} names no shard."
                raise NoShard(message, FaultCode.BAD_USER_INPUT, {}, "") from None

        division.add_root_field(number, (root_field.response_key,), key)

    async def _ask(
        self,
        part: Part,
        document: SplittableDocument,
        request: SubgraphRequest,
        context: CallContext,
        rejoined: RejoinedReply,
    ) -> None:
        cut = document.part(frozenset(part.slots))
        variables = {name: v for name, v in request.variables.items() if name in cut.variables}
        for number, representations in part.representations.items():
            name = document.root_fields[number].representations
            assert name is not None
            variables[name] = representations
        own_request = SubgraphRequest(cut.text, request.kind, variables)
        now = asyncio.get_running_loop().time()
        until = now + self._timeout_s
        if context.deadline is not None:
            kept = max(_REJOIN_MIN_S, _REJOIN_SHARE * (context.deadline - now))
            until = min(until, context.deadline - min(kept, _REJOIN_MAX_S))
        try:
            async with asyncio.timeout_at(until):
                reply = await part.transport.execute(own_request, context)
            rejoined.take(part, reply)
        except TransportFailed as failure:
            rejoined.fail_all(part, str(failure), failure.code, failure.extensions)
        except TimeoutError:
            message = "A shard did not answer in time."
            rejoined.fail_all(part, message, FaultCode.SUBGRAPH_TIMEOUT)
        except RecursionError:
            message = "A shard gave data nested too deeply."
            rejoined.fail_all(part, message, FaultCode.SUBGRAPH_MALFORMED_REPLY)
        except Exception:  # noqa: BLE001 - a transport's bug must cost its own shards only.
            _log.exception("request %s: the transport of a shard failed", context.request_id)
            rejoined.fail_all(part, "Internal error.", FaultCode.INTERNAL)
