"""Whatever a subgraph replies, the answer has the public shape and names no bug of ours."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest
from graphql import build_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.federation.engine import Engine, EngineAnswer, EngineRequest, Planning
from gateway.federation.plan import (
    Each,
    EntityInput,
    Fetch,
    Key,
    Plan,
    ProjectedField,
    Projection,
    RepresentationField,
    RepresentationShape,
    Sequence,
    TypeShape,
)
from gateway.federation.transport import CallContext, SubgraphReply
from gateway.transports.sharded import ShardedTransport
from tests.federation.scripted import ScriptedTransport

SCHEMA = build_schema(
    """
    enum Size { SMALL LARGE }
    type Query { things: [Thing] }
    type Thing { id: ID!  name: String!  size: Size  notes: [String!] }
    """
)
KEY = (
    RepresentationField("id", "id"),
    RepresentationField("owner", "owner", (RepresentationField("id", "id"),)),
)
PLAN = Plan(
    "query",
    Sequence(
        (
            Fetch("things", "query", "{ things { __typename id owner { id } } }"),
            Fetch(
                "names",
                "query",
                "query($r: [_Any!]!) { _e0: _entities(representations: $r) { name } }",
                inputs=(
                    EntityInput(
                        "_e0",
                        "r",
                        (Key("things"), Each()),
                        (RepresentationShape(frozenset({"Thing"}), None, KEY, frozenset({"id"})),),
                    ),
                ),
            ),
        )
    ),
    Projection(
        "Query",
        {
            "Query": (
                ProjectedField(
                    "things",
                    "things",
                    "things",
                    TypeShape(True, TypeShape(True, None, "Thing")),
                    Projection(
                        "Thing",
                        {
                            "Thing": (
                                ProjectedField("id", "id", "id", TypeShape(False, None, "ID")),
                                ProjectedField(
                                    "name", "name", "name", TypeShape(False, None, "String")
                                ),
                                ProjectedField(
                                    "size", "size", "size", TypeShape(True, None, "Size")
                                ),
                                ProjectedField(
                                    "notes",
                                    "notes",
                                    "notes",
                                    TypeShape(True, TypeShape(False, None, "String")),
                                ),
                            )
                        },
                    ),
                ),
            )
        },
    ),
)

junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "Thing", "SMALL", "m"]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "__typename", "_e0", "path"]), below)
    ),
    max_leaves=6,
)
things = st.fixed_dictionaries(
    {"__typename": st.just("Thing") | junk, "id": st.sampled_from(["1", "2"]) | junk},
    optional={"owner": st.just({"id": "o"}) | junk, "name": junk, "size": junk, "notes": junk},
)
sound = st.just(
    {"things": [{"__typename": "Thing", "id": id, "owner": {"id": "o"}} for id in "12"]}
)
roots = sound | st.fixed_dictionaries({"things": st.lists(things | junk, max_size=4) | junk}) | junk
entities = st.lists(things | junk, min_size=2, max_size=2) | st.lists(things) | junk
answers = st.fixed_dictionaries({"_e0": entities}) | junk
paths = st.lists(st.sampled_from(["things", "_e0", "name", 0, 1, 9, -1]) | junk, max_size=4) | junk
errors = st.lists(
    st.fixed_dictionaries({}, optional={"message": junk, "path": paths, "extensions": junk}) | junk,
    max_size=3,
)
replies = st.tuples(roots, errors | junk, answers, errors | junk)


async def answered(reply: Any, *, shards: bool) -> EngineAnswer:
    root, root_errors, found, entity_errors = reply
    names: Any = ScriptedTransport(
        answer=lambda request, context: SubgraphReply(copy.deepcopy(found), entity_errors)
    )
    if shards:
        names = ShardedTransport(
            OneShard(names), shard_keys={"Thing": "id"}, routes={}, extension_name="shard"
        )
    first = ScriptedTransport(
        answer=lambda request, context: SubgraphReply(copy.deepcopy(root), root_errors)
    )
    planning = Planning(lambda *_: PLAN, lambda *_: ())
    engine = Engine(SCHEMA, planning, {"things": first, "names": names})
    return await engine.execute(EngineRequest("{ things { id } }"), CallContext())


class OneShard:
    def __init__(self, transport: ScriptedTransport) -> None:
        self._transport = transport

    def shard_of(self, key: str) -> ScriptedTransport:
        return self._transport


def is_thing(value: Any) -> bool:
    return value is None or (
        list(value) == ["id", "name", "size", "notes"]
        and type(value["id"]) in (str, int)
        and type(value["name"]) is str
        and value["size"] in (None, "SMALL", "LARGE")
        and (value["notes"] is None or all(type(note) is str for note in value["notes"]))
    )


@pytest.mark.slow
@pytest.mark.parametrize("shards", [False, True])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(reply=replies)
def test_no_reply_breaks_the_answer(shards: bool, reply: Any) -> None:
    answer = asyncio.run(answered(reply, shards=shards))

    assert "INTERNAL" not in {fault.code for fault in answer.errors}
    assert answer.data is not None
    assert list(answer.data) == ["things"]
    assert answer.data["things"] is None or all(map(is_thing, answer.data["things"]))
    assert all(fault.as_json()["message"] is not None for fault in answer.errors)
