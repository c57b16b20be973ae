"""Every feature of Federation once, from SDL to answer: composed, planned and run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.federation.engine import EngineRequest
from gateway.federation.transport import CallContext
from tests.federation.written_subgraphs import Written, engine_over


@dataclass
class Feature:
    """Subgraphs, what is asked of them together, and the answer."""

    subgraphs: dict[str, Written]
    query: str
    data: Any
    variables: dict[str, Any] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()


def entity(typename: str, **fields: Any) -> dict[str, Any]:
    return {"__typename": typename, **fields}


BOOK_KEY = 'type Book @key(fields: "id") { id: ID!'
BOOKS = Written(
    f"type Query {{ books: [Book] }} {BOOK_KEY} pages: Int title: String @shareable }}",
    {"books": [entity("Book", id="1", pages=90, title="A"), entity("Book", id="2", title="B")]},
    [entity("Book", id="1", pages=90, title="A"), entity("Book", id="2", pages=None, title="B")],
)

FEATURES: dict[str, Feature] = {
    "a nested key": Feature(
        {
            "a": Written(
                "type Query { seat: Seat } type Hall { id: ID! @shareable name: String }"
                ' type Seat @key(fields: "hall { id } row") { hall: Hall! row: Int! }',
                {"seat": entity("Seat", hall={"id": "h", "name": "big"}, row=3)},
            ),
            "b": Written(
                "type Hall { id: ID! @shareable }"
                ' type Seat @key(fields: "row hall { id }")'
                " { hall: Hall! row: Int! price: Int }",
                entities=[entity("Seat", hall={"id": "h"}, row=3, price=7)],
            ),
        },
        "{ seat { price hall { name } } }",
        {"seat": {"price": 7, "hall": {"name": "big"}}},
    ),
    "a deprecated field whose interface is not": Feature(
        {
            "a": Written(
                "type Query { named: Named } interface Named { name: String }"
                ' type Tag implements Named { name: String @deprecated(reason: "old") }',
                {"named": entity("Tag", name="x")},
            ),
        },
        "{ named { name } }",
        {"named": {"name": "x"}},
    ),
    "several keys": Feature(
        {
            "a": Written(
                'type Query { book: Book } type Book @key(fields: "id") { id: ID! }',
                {"book": entity("Book", id="1")},
            ),
            "b": Written(
                'type Book @key(fields: "id") @key(fields: "isbn") { id: ID! isbn: ID! }',
                entities=[entity("Book", id="1", isbn="x")],
            ),
            "c": Written(
                'type Book @key(fields: "isbn") { isbn: ID! price: Int }',
                entities=[entity("Book", isbn="x", price=5)],
            ),
        },
        "{ book { price } }",
        {"book": {"price": 5}},
    ),
    "a key that is not resolvable": Feature(
        {
            "a": Written(
                "type Query { shelf: [Book] }"
                ' type Book @key(fields: "id", resolvable: false) { id: ID! }',
                {"shelf": [entity("Book", id="2"), entity("Book", id="1")]},
            ),
            "b": BOOKS,
        },
        "{ shelf { title id } books { id } }",
        {
            "shelf": [{"title": "B", "id": "2"}, {"title": "A", "id": "1"}],
            "books": [{"id": "1"}, {"id": "2"}],
        },
    ),
    "nested and chained requirements": Feature(
        {
            "a": Written(
                "type Query { box: Box } type Size { width: Int height: Int }"
                ' type Box @key(fields: "id") { id: ID! size: Size }',
                {"box": entity("Box", id="1", size={"width": 2, "height": 3})},
                [entity("Box", id="1", size={"width": 2, "height": 3})],
            ),
            "b": Written(
                "type Size { width: Int @external height: Int @external }"
                ' type Box @key(fields: "id") { id: ID! size: Size @external'
                ' area: Int @requires(fields: "size { width height }") }',
                entities=[entity("Box", id="1")],
                resolvers={"Box.area": lambda box: box["size"]["width"] * box["size"]["height"]},
            ),
            "c": Written(
                'type Box @key(fields: "id") { id: ID! area: Int @external'
                ' price: Int @requires(fields: "area") }',
                entities=[entity("Box", id="1")],
                resolvers={"Box.price": lambda box: 10 * box["area"]},
            ),
        },
        "{ box { price } }",
        {"box": {"price": 60}},
    ),
    "requirements through fragments": Feature(
        {
            "a": Written(
                "type Query { cases: [Case] } union Thing = Cup | Hat"
                " type Cup { millilitres: Int } type Hat { size: Int }"
                ' type Case @key(fields: "id") { id: ID! thing: Thing }',
                {"cases": [entity("Case", id="1"), entity("Case", id="2")]},
                [
                    entity("Case", id="1", thing=entity("Cup", millilitres=200)),
                    entity("Case", id="2", thing=entity("Hat", size=54)),
                ],
                {
                    "Case.thing": lambda case: {
                        "1": entity("Cup", millilitres=200),
                        "2": entity("Hat", size=54),
                    }[case["id"]]
                },
            ),
            "b": Written(
                "union Thing = Cup | Hat"
                " type Cup { millilitres: Int @external } type Hat { size: Int @external }"
                ' type Case @key(fields: "id") { id: ID! thing: Thing @external label: String'
                ' @requires(fields: "thing { ... on Cup { millilitres } ... on Hat { size } }") }',
                entities=[entity("Case", id="1"), entity("Case", id="2")],
                resolvers={
                    "Case.label": lambda case: " ".join(
                        f"{name}={value}"
                        for name, value in sorted(case["thing"].items())
                        if name != "__typename"
                    )
                },
            ),
        },
        "{ cases { label } }",
        {"cases": [{"label": "millilitres=200"}, {"label": "size=54"}]},
    ),
    "a requirement with an argument": Feature(
        {
            "a": Written(
                "type Query { book: Book }"
                ' type Book @key(fields: "id") { id: ID! price(in: String): Int }',
                {"book": entity("Book", id="1")},
                [entity("Book", id="1")],
                {"Book.price": lambda book, **given: {"EUR": 3, "JPY": 500}[given["in"]]},
            ),
            "b": Written(
                'type Book @key(fields: "id") { id: ID! price(in: String): Int @external'
                ' label: String @requires(fields: "price(in: \\"EUR\\")") }',
                entities=[entity("Book", id="1")],
                resolvers={"Book.label": lambda book: f"{book['price']} EUR"},
            ),
        },
        '{ book { label price(in: "JPY") } }',
        {"book": {"label": "3 EUR", "price": 500}},
    ),
    "nested provision": Feature(
        {
            "a": Written(
                "type Query { desk: Desk"
                ' @provides(fields: "book { title }") } type Desk { book: Book }'
                f" {BOOK_KEY} title: String @external }}",
                {"desk": {"book": entity("Book", id="1", title="as provided")}},
            ),
            "b": BOOKS,
        },
        "{ desk { book { title pages } } }",
        {"desk": {"book": {"title": "as provided", "pages": 90}}},
    ),
    "provision through a fragment": Feature(
        {
            "a": Written(
                "type Query { found: [Found]"
                ' @provides(fields: "... on Book { title }") } union Found = Book | Note'
                f" type Note {{ text: String }} {BOOK_KEY} title: String @external }}",
                {
                    "found": [
                        entity("Note", text="n"),
                        entity("Book", id="2", title="as provided"),
                    ]
                },
            ),
            "b": BOOKS,
        },
        "{ found { ... on Book { title } ... on Note { text } } }",
        {"found": [{"text": "n"}, {"title": "as provided"}]},
    ),
    "an extension of federation 1": Feature(
        {
            "a": Written(
                'type Query { book: Book } type Book @key(fields: "id") { id: ID! weight: Int }',
                {"book": entity("Book", id="1", weight=4)},
                [entity("Book", id="1", weight=4)],
                federation_1=True,
            ),
            "b": Written(
                'extend type Book @key(fields: "id") { id: ID! @external weight: Int @external'
                ' postage: Int @requires(fields: "weight") }'
                " extend type Query { cheapest: Book }",
                {"cheapest": entity("Book", id="1")},
                [entity("Book", id="1")],
                {"Book.postage": lambda book: book["weight"] + 1},
                federation_1=True,
            ),
        },
        "{ book { postage } cheapest { weight postage } }",
        {"book": {"postage": 5}, "cheapest": {"weight": 4, "postage": 5}},
    ),
    "a shared value type": Feature(
        {
            "a": Written(
                "type Query { a: Point } type Point @shareable { x: Int y: Int }",
                {"a": {"x": 1, "y": 2}},
            ),
            "b": Written(
                "type Query { b: Point } type Point @shareable { x: Int y: Int }",
                {"b": {"x": 3, "y": 4}},
            ),
        },
        "{ a { x y } b { y } }",
        {"a": {"x": 1, "y": 2}, "b": {"y": 4}},
    ),
    "a field that another subgraph took over": Feature(
        {
            "a": Written(
                f'type Query {{ book: Book }} {BOOK_KEY} title: String @override(from: "b") }}',
                {"book": entity("Book", id="1", title="new")},
                [entity("Book", id="1", title="new")],
            ),
            "b": Written(
                f"type Query {{ last: Book }} {BOOK_KEY} title: String }}",
                {"last": entity("Book", id="1", title="old")},
            ),
        },
        "{ book { title } last { title } }",
        {"book": {"title": "new"}, "last": {"title": "new"}},
    ),
    **{
        f"a take-over whose label {'holds' if holds else 'does not hold'}": Feature(
            {
                "a": Written(
                    f"{BOOK_KEY} title: String"
                    ' @override(from: "b", label: "moved") } type Query { a: Int }',
                    entities=[entity("Book", id="1", title="new")],
                ),
                "b": Written(
                    f"type Query {{ book: Book }} {BOOK_KEY} title: String }}",
                    {"book": entity("Book", id="1", title="old")},
                ),
            },
            "{ book { title } }",
            {"book": {"title": "new" if holds else "old"}},
            labels=frozenset({"moved"} if holds else ()),
        )
        for holds in (True, False)
    },
    "a hidden field that another requires": Feature(
        {
            "a": Written(
                f"type Query {{ book: Book }} {BOOK_KEY} cost: Int @inaccessible"
                ' @tag(name: "internal") }',
                {"book": entity("Book", id="1", cost=2)},
                [entity("Book", id="1", cost=2)],
            ),
            "b": Written(
                f"{BOOK_KEY} cost: Int @external"
                ' price: Int @requires(fields: "cost") @tag(name: "public") }',
                entities=[entity("Book", id="1")],
                resolvers={"Book.price": lambda book: 2 * book["cost"]},
            ),
        },
        "{ book { price } }",
        {"book": {"price": 4}},
    ),
    "an entity interface and its object": Feature(
        {
            "a": Written(
                "type Query { all: [Media] }"
                ' interface Media @key(fields: "id") { id: ID! }'
                ' type Film implements Media @key(fields: "id") { id: ID! minutes: Int }'
                ' type Song implements Media @key(fields: "id") { id: ID! }',
                {"all": [entity("Film", id="f", minutes=90), entity("Song", id="s")]},
                [entity("Film", id="f", minutes=90), entity("Song", id="s")],
            ),
            "b": Written(
                "type Query { best: Media }"
                ' type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }',
                {"best": entity("Media", id="f", stars=5)},
                [entity("Media", id="f", stars=5), entity("Media", id="s", stars=1)],
            ),
        },
        "{ all { __typename stars ... on Film { minutes } } best { id stars } }",
        {
            "all": [
                {"__typename": "Film", "stars": 5, "minutes": 90},
                {"__typename": "Song", "stars": 1},
            ],
            "best": {"id": "f", "stars": 5},
        },
    ),
    "a field that an interface object has only type by type": Feature(
        {
            "a": Written(
                'type Query { a: Int } interface Media @key(fields: "id") { id: ID! }'
                ' type Film implements Media @key(fields: "id") { id: ID! }'
                ' type Song implements Media @key(fields: "id") { id: ID! }',
                entities=[entity("Film", id="f"), entity("Song", id="s")],
            ),
            "b": Written(
                "interface Media { title: String }"
                ' type Film implements Media @key(fields: "id") { id: ID! title: String }'
                ' type Song implements Media @key(fields: "id") { id: ID! title: String }',
                entities=[entity("Film", id="f", title="F"), entity("Song", id="s", title="S")],
            ),
            "c": Written(
                "type Query { best: [Media] }"
                ' type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }',
                {"best": [entity("Media", id="s", stars=1), entity("Media", id="f", stars=5)]},
            ),
        },
        "{ best { stars title } }",
        {"best": [{"stars": 1, "title": "S"}, {"stars": 5, "title": "F"}]},
    ),
    "an interface whose types differ by subgraph": Feature(
        {
            "a": Written(
                "type Query { pets: [Pet] } interface Pet { id: ID! }"
                ' type Cat implements Pet @key(fields: "id") { id: ID! }'
                ' type Dog implements Pet @key(fields: "id") { id: ID! age: Int }',
                {"pets": [entity("Cat", id="c"), entity("Dog", id="d", age=3)]},
                [entity("Cat", id="c"), entity("Dog", id="d", age=3)],
            ),
            "b": Written(
                "interface Pet { age: Int }"
                ' type Cat implements Pet @key(fields: "id") { id: ID! age: Int @shareable }',
                entities=[entity("Cat", id="c", age=9)],
            ),
        },
        "{ pets { id ... on Cat { age } ... on Dog { age } } }",
        {"pets": [{"id": "c", "age": 9}, {"id": "d", "age": 3}]},
    ),
    "a union whose members differ by subgraph": Feature(
        {
            "a": Written(
                "type Query { x: Found } union Found = Book | Note type Note { text: String }"
                f" {BOOK_KEY} }}",
                {"x": entity("Book", id="1")},
            ),
            "b": Written(
                "type Query { y: Found } union Found = Book | Film type Film { minutes: Int }"
                f" {BOOK_KEY} title: String }}",
                {"y": entity("Film", minutes=90)},
                [entity("Book", id="1", title="A")],
            ),
        },
        """{ x { ... on Note { text } ... on Film { minutes } ... on Book { title } }
             y { ... on Note { text } ... on Film { minutes } ... on Book { title } } }""",
        {"x": {"title": "A"}, "y": {"minutes": 90}},
    ),
    "enums that are only given and only taken": Feature(
        {
            "a": Written(
                "type Query { given: Out taken(in: In): String } enum Out { X Y } enum In { P Q }",
                {"given": "X"},
                resolvers={"Query.taken": lambda _, **given: given["in"]},
            ),
            "b": Written(
                "type Query { more: Out also(in: In): String } enum Out { Y Z } enum In { Q R }",
                {"more": "Z"},
                resolvers={"Query.also": lambda _, **given: given["in"]},
            ),
        },
        "query($in: In) { given more taken(in: $in) also(in: Q) }",
        {"given": "X", "more": "Z", "taken": "Q", "also": "Q"},
        {"in": "Q"},
    ),
    "inputs that have fields in common": Feature(
        {
            "a": Written(
                "type Query { a(by: By): String } input By { both: Int! a: Int = 1 }",
                resolvers={"Query.a": lambda _, by: f"{by}"},
            ),
            "b": Written(
                "type Query { b(by: By): String } input By { both: Int b: Int }",
                resolvers={"Query.b": lambda _, by: f"{by}"},
            ),
        },
        "query($by: By!) { a(by: $by) b(by: $by) }",
        {"a": "{'both': 2, 'a': 1}", "b": "{'both': 2}"},
        {"by": {"both": 2}},
    ),
    "conditions with variables": Feature(
        {"a": BOOKS},
        """query($yes: Boolean!, $no: Boolean = false) { books {
             id @include(if: $yes) title @include(if: $no) pages @skip(if: $yes)
             ... @skip(if: $no) { alias: title } } }""",
        {"books": [{"id": "1", "alias": "A"}, {"id": "2", "alias": "B"}]},
        {"yes": True},
    ),
    "type names everywhere": Feature(
        {
            "a": Written(
                "type Query { found: [Found] } union Found = Book | Note"
                f" type Note {{ text: String }} {BOOK_KEY} }}",
                {"found": [entity("Book", id="1"), entity("Note", text="n")]},
            ),
            "b": BOOKS,
        },
        """{ root: __typename __typename found { kind: __typename ... on Book {
             __typename again: __typename title } } }""",
        {
            "root": "Query",
            "__typename": "Query",
            "found": [
                {"kind": "Book", "__typename": "Book", "again": "Book", "title": "A"},
                {"kind": "Note"},
            ],
        },
    ),
    "keys that are null, and entities that are not there": Feature(
        {
            "a": Written(
                'type Query { books: [Book] } type Book @key(fields: "id") { id: ID n: Int }',
                {
                    "books": [
                        entity("Book", id=None, n=1),
                        None,
                        entity("Book", id="1", n=2),
                        entity("Book", id="gone", n=3),
                    ]
                },
            ),
            "b": Written(
                'type Book @key(fields: "id") { id: ID title: String }',
                entities=[entity("Book", id="1", title="A")],
            ),
        },
        "{ books { n title } }",
        {
            "books": [
                {"n": 1, "title": None},
                None,
                {"n": 2, "title": "A"},
                {"n": 3, "title": None},
            ]
        },
    ),
    "a root field of several subgraphs": Feature(
        {
            "a": Written(
                "type Query { now: Now @shareable } type Now { a: Int }", {"now": {"a": 1}}
            ),
            "b": Written(
                "type Query { now: Now @shareable } type Now { b: Int }", {"now": {"b": 2}}
            ),
        },
        "{ now { b a } }",
        {"now": {"b": 2, "a": 1}},
    ),
}


@pytest.mark.parametrize("name", FEATURES)
async def test_subgraphs_answer_together(name: str) -> None:
    feature = FEATURES[name]
    request = EngineRequest(feature.query, None, feature.variables, override_labels=feature.labels)

    answer = await engine_over(feature.subgraphs).execute(request, CallContext())

    assert answer.as_json() == {"data": feature.data}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ book { cost } }", {}),
        ("query($by: By) { a(by: $by) }", {"by": {"both": 1, "a": 2}}),
        ("query($in: In) { taken(in: $in) }", {"in": "P"}),
    ],
)
async def test_what_is_not_public_can_not_be_asked(query: str, variables: dict[str, Any]) -> None:
    name = next(
        name
        for name, mark in [
            ("a hidden field that another requires", "cost"),
            ("inputs that have fields in common", "by:"),
            ("enums that are only given and only taken", "in:"),
        ]
        if mark in query
    )
    engine = engine_over(FEATURES[name].subgraphs)

    answer = await engine.execute(EngineRequest(query, None, variables), CallContext())

    assert not answer.executed
    assert answer.errors


async def test_mutations_of_several_subgraphs_run_in_the_order_written() -> None:
    log: list[str] = []

    def logging(name: str) -> Written:
        return Written(
            f"type Query {{ {name}: Int }} type Mutation {{ {name}(n: Int): Int }}",
            resolvers={f"Mutation.{name}": lambda _, n: log.append(f"{name}{n}") or n},
        )

    engine = engine_over({"a": logging("a"), "b": logging("b")})
    mutation = "mutation { x: a(n: 1) y: b(n: 2) z: a(n: 3) }"

    answer = await engine.execute(EngineRequest(mutation), CallContext())

    assert answer.data == {"x": 1, "y": 2, "z": 3}
    assert log == ["a1", "b2", "a3"]
