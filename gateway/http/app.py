"""The HTTP server: GraphQL, the explorer page, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.http.cost import OperationCosts
from gateway.http.endpoint import AnswersOperations, GraphQLEndpoint, TellsCallers
from gateway.http.limits import EndpointLimits
from gateway.http.metrics import CONTENT_TYPE, Metrics, Watched
from gateway.http.readiness import Readiness
from kernel.database import Database
from kernel.ids import IdSource

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
GRAPHQL_PATH = "/graphql"
_PAGE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_EXPLORER_FILES: Mapping[str, tuple[str, str]] = {
    "/": ("index.html", "text/html"),
    "/explorer/explorer.js": ("explorer.js", "text/javascript"),
    "/explorer/json_view.js": ("json_view.js", "text/javascript"),
    "/explorer/schema_pane.js": ("schema_pane.js", "text/javascript"),
    "/explorer/explorer.css": ("explorer.css", "text/css"),
    "/explorer/operations.json": ("operations.json", "application/json"),
}


@dataclass(frozen=True, slots=True)
class Running:
    """What a server answers with, once it is open.

    Attributes:
        costs: what operations may cost; None for anything.
        version: of a request's id; differs between requests that are answered by different plans
            or subgraphs. With it, equal queries that are under way together share one answer; so
            answers must depend on nothing but it, the operation, its variables, the Authorization
            header and the headers passed on.
        watched: what the metrics show beside the requests.
        databases: by name, those without which it can not answer.
    """

    engine: AnswersOperations
    authenticator: TellsCallers
    costs: OperationCosts | None = None
    version: Callable[[str], Hashable] | None = None
    watched: Sequence[Watched] = ()
    databases: Mapping[str, Database] = field(default_factory=dict)


class _Server(Starlette):
    """Hands GraphQL requests to their endpoint before any middleware, which they do not need."""

    graphql: GraphQLEndpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http" and scope["path"] == GRAPHQL_PATH:
            await self.graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


OpenGateway = Callable[[], AbstractAsyncContextManager[Running]]


def create_app(
    open_gateway: OpenGateway,
    *,
    ids: IdSource,
    limits: EndpointLimits | None = None,
    with_explorer: bool = True,
    passed_headers: Sequence[str] = (),
    tells_plans: bool = False,
) -> Starlette:
    """The server, which opens the gateway when it starts and closes it when it stops.

    Args:
        open_gateway: opens databases and subgraphs; leaving its context closes them.
        ids: makes the ids of requests that came without one.
        with_explorer: whether `/` shows the explorer.
        passed_headers: names, in lower case, of request headers that subgraphs get too.
        tells_plans: whether requests may ask for the plan that answered them.
    """
    metrics = Metrics()
    readiness = Readiness()
    endpoint = GraphQLEndpoint(
        limits=limits or EndpointLimits(),
        metrics=metrics,
        ids=ids,
        passed_headers=passed_headers,
        tells_plans=tells_plans,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with open_gateway() as running:
            endpoint.open(
                running.engine, running.authenticator, running.costs, version=running.version
            )
            metrics.watch(running.watched)
            readiness.watch(running.databases)
            try:
                yield
            finally:
                endpoint.close()

    server = _Server(
        routes=[
            *_operator_routes(endpoint, metrics, readiness),
            *(_explorer_routes() if with_explorer else ()),
        ],
        lifespan=lifespan,
    )
    server.graphql = endpoint
    return server


def _operator_routes(
    endpoint: GraphQLEndpoint, metrics: Metrics, readiness: Readiness
) -> list[Route]:
    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "up"})

    async def ready(_request: Request) -> Response:
        if not endpoint.is_open:
            return JSONResponse({"status": "starting"}, status_code=503)
        answers = await readiness.databases()
        told = {name: "answers" if is_there else "silent" for name, is_there in answers.items()}
        if all(answers.values()):
            return JSONResponse({"status": "ready", "databases": told})
        return JSONResponse({"status": "unavailable", "databases": told}, status_code=503)

    async def measured(_request: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    return [Route("/health", health), Route("/ready", ready), Route("/metrics", measured)]


def _explorer_routes() -> list[Route]:
    return [
        Route(path, _static(name, media_type))
        for path, (name, media_type) in _EXPLORER_FILES.items()
    ]


def _static(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    content = files("gateway.explorer").joinpath(name).read_bytes()

    async def serve(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers=_PAGE_HEADERS)

    return serve
