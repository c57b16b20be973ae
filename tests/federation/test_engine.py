from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from graphql import DocumentNode, build_schema

from gateway.federation.engine import Engine, EngineRequest, Planning, PreparedOperation
from gateway.federation.faults import Fault, RequestRefused
from gateway.federation.plan import Fetch, Plan, ProjectedField, Projection, TypeShape
from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest
from tests.federation.scripted import ScriptedTransport

SCHEMA = build_schema(
    """
    scalar Long
    enum Size { SMALL LARGE }
    input Filter { size: Size = SMALL, least: Long }
    interface Node { id: ID! }
    type User implements Node { id: ID!  name: String }
    type Shop implements Node { id: ID!  owner: User }
    union Thing = User | Shop
    type Query {
      number(filter: Filter, first: Int = 5, least: Long, name: String): Int
      node(id: ID): Node
      thing: Thing
    }
    type Mutation { set: Int }
    type Subscription { ticks: Int }
    """
)
NUMBER = Projection(
    "Query",
    {"Query": (ProjectedField("number", "number", "number", TypeShape(True, None, "Int")),)},
)


class CountingPlanner:
    """Plans every operation as one fetch of `number`, and counts."""

    def __init__(self, variables: tuple[str, ...] = (), conditional: tuple[str, ...] = ()) -> None:
        self.planned = 0
        self._fetch = Fetch("numbers", "query", "{ number }", variables=variables)
        self._conditional = conditional
        self.planning = Planning(self._plan, lambda document, name: self._conditional)

    def _plan(self, document: DocumentNode, name: str | None, variables: Any, labels: Any) -> Plan:
        self.planned += 1
        return Plan("query", self._fetch, NUMBER)


def engine_with(
    numbers: ScriptedTransport | None = None,
    planner: CountingPlanner | None = None,
    **options: Any,
) -> Engine:
    planner = planner or CountingPlanner()
    transports = {"numbers": numbers or ScriptedTransport({"number": 7})}
    return Engine(SCHEMA, planner.planning, transports, **options)


async def answer_json(engine: Engine, document: str, **variables: Any) -> dict[str, Any]:
    answer = await engine.execute(EngineRequest(document, None, variables), CallContext())
    return answer.as_json()


async def test_a_valid_operation_is_answered() -> None:
    answer = await engine_with().execute(EngineRequest("{ number }"), CallContext())

    assert answer.as_json() == {"data": {"number": 7}}
    assert answer.kind == "query"


@pytest.mark.parametrize(
    ("document", "name", "code"),
    [
        ("{ number", None, "GRAPHQL_PARSE_FAILED"),
        ("", None, "GRAPHQL_PARSE_FAILED"),
        ("{ " * 5000, None, "GRAPHQL_PARSE_FAILED"),
        ("{ absent }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { number } query B { number }", None, "OPERATION_NOT_FOUND"),
        ("query A { number }", "B", "OPERATION_NOT_FOUND"),
        ("fragment F on Query { number }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ticks }", None, "UNPLANNABLE"),
    ],
)
async def test_what_can_not_run_is_refused_and_has_no_data(
    document: str, name: str | None, code: str
) -> None:
    answer = await engine_with().execute(EngineRequest(document, name), CallContext())

    response = answer.as_json()
    assert "data" not in response
    assert response["errors"][0]["extensions"]["code"] == code  # type: ignore[index]


async def test_validation_errors_say_where() -> None:
    response = await answer_json(engine_with(), "{\n  absent }")

    assert response["errors"][0]["locations"] == [{"line": 2, "column": 3}]


async def test_the_operation_of_the_given_name_runs() -> None:
    request = EngineRequest("query A { number } mutation B { set }", "A")

    answer = await engine_with().execute(request, CallContext())

    assert answer.kind == "query"
    assert answer.data == {"number": 7}


async def test_a_document_is_planned_once_for_all_values_of_plain_variables() -> None:
    planner = CountingPlanner(variables=("n",))
    engine = engine_with(planner=planner)

    for n in range(3):
        await answer_json(engine, "query($n: Int) { number(first: $n) }", n=n)

    assert planner.planned == 1


async def test_a_document_is_planned_anew_for_each_value_of_a_conditional_variable() -> None:
    planner = CountingPlanner(conditional=("on",))
    engine = engine_with(planner=planner)
    document = "query($on: Boolean! = true) { number @include(if: $on) }"

    for variables in ({"on": True}, {"on": False}, {"on": True}, {}):
        await answer_json(engine, document, **variables)

    assert planner.planned == 2


async def test_the_plan_asked_for_longest_ago_is_forgotten_first() -> None:
    planner = CountingPlanner()
    engine = engine_with(planner=planner, plan_cache_size=2)

    for name in ("a", "b", "a", "c", "a"):
        await answer_json(engine, f"{{ {name}: number }}")
    assert planner.planned == 3

    await answer_json(engine, "{ b: number }")
    assert planner.planned == 4


async def test_subgraphs_get_the_clients_own_json_and_its_defaults() -> None:
    planner = CountingPlanner(variables=("filter", "first", "least", "name"))
    numbers = ScriptedTransport({"number": 7})
    document = """query($filter: Filter, $first: Int = 9, $least: Long, $name: String) {
      number(filter: $filter, first: $first, least: $least, name: $name) }"""

    response = await answer_json(
        engine_with(numbers, planner), document, filter={"least": "12"}, least=[1], extra=1
    )

    assert "errors" not in response
    assert numbers.requests[0].variables == {"filter": {"least": "12"}, "first": 9, "least": [1]}


@pytest.mark.parametrize(
    "variables", [{}, {"first": None}, {"first": "x"}, {"first": 2**40}, {"first": [[]]}]
)
async def test_variables_of_another_type_are_refused(variables: dict[str, Any]) -> None:
    numbers = ScriptedTransport({"number": 7})
    document = "query($first: Int!) { number(first: $first) }"

    response = await answer_json(engine_with(numbers), document, **variables)

    assert response["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert response["errors"][0]["locations"]
    assert numbers.requests == []


async def test_a_document_beyond_the_limits_is_refused_before_it_is_validated() -> None:
    def refuse(document: DocumentNode) -> None:
        raise RequestRefused([Fault("too deep", "TOO_DEEP")])

    response = await answer_json(engine_with(limits=refuse), "{ absent }")

    assert response["errors"][0]["extensions"] == {"code": "TOO_DEEP"}


async def test_a_document_of_too_many_tokens_is_refused() -> None:
    response = await answer_json(engine_with(tokens_max=5), "{ a: number b: number c: number }")

    assert response["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


async def test_nothing_is_fetched_for_a_caller_who_may_not_ask() -> None:
    numbers = ScriptedTransport({"number": 7})
    seen: list[tuple[PreparedOperation, CallContext]] = []

    def forbid(operation: PreparedOperation, context: CallContext) -> list[Fault]:
        seen.append((operation, context))
        return [Fault("not you", "FORBIDDEN", ("number",))]

    context = CallContext(caller="someone")
    answer = await engine_with(numbers, authorize=forbid).execute(
        EngineRequest("query Q { number }"), context
    )

    assert [fault.code for fault in answer.errors] == ["FORBIDDEN"]
    assert numbers.requests == []
    assert seen[0][0].name == "Q"
    assert seen[0][1] is context


def prepared(document: str) -> PreparedOperation:
    return engine_with().prepare(EngineRequest(document))


def test_fields_read_through_an_interface_count_for_all_that_may_stand_behind_it() -> None:
    operation = prepared("{ node { id } }")

    assert operation.selected == {("Query", "node"), ("Node", "id")}
    assert operation.coordinates == operation.selected | {("User", "id"), ("Shop", "id")}
    assert operation.types == {"Node"}


def test_fields_in_fragments_count_also_when_they_may_be_skipped() -> None:
    operation = prepared(
        """query($no: Boolean!) { thing { __typename ...S ... on User @include(if: $no) { id } } }
        fragment S on Shop { owner { name } }"""
    )

    assert operation.coordinates == {
        ("Query", "thing"),
        ("Shop", "owner"),
        ("User", "name"),
        ("User", "id"),
    }
    assert operation.types == {"Thing", "Shop", "User"}


def test_introspection_counts_as_one_field() -> None:
    assert prepared("{ __schema { types { name } } }").coordinates == {("Query", "__schema")}


def test_an_operation_is_prepared_once() -> None:
    engine = engine_with()

    assert engine.prepare(EngineRequest("{ number }")) is engine.prepare(
        EngineRequest("{ number }")
    )


def refusing() -> Planning:
    def refuse(document: DocumentNode, name: str | None, variables: Any, labels: Any) -> Plan:
        raise RequestRefused([Fault("no way", "UNPLANNABLE")])

    return Planning(refuse, lambda document, name: ())


def breaking() -> Planning:
    def fail(document: DocumentNode, name: str | None, variables: Any, labels: Any) -> Plan:
        raise KeyError("secret")

    return Planning(fail, lambda document, name: ())


@pytest.mark.parametrize(("planning", "code"), [(refusing, "UNPLANNABLE"), (breaking, "INTERNAL")])
async def test_a_planner_that_gives_no_plan_costs_the_answer_only(
    planning: Callable[[], Planning], code: str
) -> None:
    engine = Engine(SCHEMA, planning(), {})

    answer = await engine.execute(EngineRequest("{ number }"), CallContext())

    assert answer.as_json()["data"] is None
    assert [fault.code for fault in answer.errors] == [code]
    assert "secret" not in answer.errors[0].message


async def test_faults_of_fetching_and_of_shaping_are_both_told() -> None:
    numbers = ScriptedTransport({"number": "x"}, errors=[{"message": "a", "path": ["other"]}])

    response = await answer_json(engine_with(numbers), "{ number }")

    assert response["data"] == {"number": None}
    codes = [error["extensions"]["code"] for error in response["errors"]]
    assert codes == ["SUBGRAPH_ERROR", "INVALID_VALUE"]


async def test_a_cancelled_request_is_cancelled_and_not_answered() -> None:
    started = asyncio.Event()

    async def hang(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    engine = engine_with(ScriptedTransport(answer=hang))
    task = asyncio.create_task(engine.execute(EngineRequest("{ number }"), CallContext()))
    await started.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_answer_is_written_out_without_its_plan() -> None:
    # Selections of interfaces share their parts, which written out would multiply: and asyncio
    # writes out the result of the task that it runs.
    answer = await engine_with().execute(EngineRequest("{ number }"), CallContext())

    assert answer.plan is not None
    assert "plan" not in repr(answer)
