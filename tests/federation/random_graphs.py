"""Random subgraphs of one random schema: what they declare, and operations over them.

Entities live in several subgraphs under one or two keys; their fields are owned by one subgraph,
shared by several, taken over by another, provided by a neighbour, or made of fields that other
subgraphs own. Value types, an interface and a union lie between them; to one more subgraph the
interface may be an object, which it rates without knowing what is behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

INTERFACE = "Titled"
UNION = "Thing"
RATING = "rating"

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: '
    '["@key", "@shareable", "@external", "@requires", "@provides", "@override", '
    '"@interfaceObject"])\n'
)


@dataclass
class RandomField:
    """A field of the whole schema.

    Attributes:
        type: as written in SDL.
        owners: subgraphs that answer it.
        external_in: subgraphs that declare it without answering it.
        overridden_in: the subgraph that it was taken over from; empty for none.
        requires: field set that its owner needs from others; empty for none.
        provides: by owner, a field of the type it returns that the owner answers there.
        has_argument: whether it takes `x`, a number.
    """

    type: str
    owners: list[str]
    external_in: set[str] = field(default_factory=set)
    overridden_in: str = ""
    requires: str = ""
    provides: dict[str, str] = field(default_factory=dict)
    has_argument: bool = False

    @property
    def named_type(self) -> str:
        return self.type.strip("[]!")

    @property
    def is_leaf(self) -> bool:
        return self.named_type in ("String", "ID")

    @property
    def is_plain(self) -> bool:
        return not self.requires and not self.has_argument


@dataclass
class RandomType:
    """An object type: its keys by subgraph (none for value types), and its fields by name."""

    keys: dict[str, list[str]]
    fields: dict[str, RandomField] = field(default_factory=dict)


class RandomGraph:
    """A schema split over subgraphs, drawn from a source of randomness.

    Args:
        has_null_keys: whether the second key of an entity may be null.

    Attributes:
        subgraphs: names.
        types: entities and value types by name; the query root is `Query`.
        titled_in: by subgraph that has the interface, the entities that implement it there.
        things_in: by subgraph that has the union, its members there.
        rated_by: the subgraph that knows the interface by its key, when another rates it; or empty.
    """

    def __init__(self, random: Random, *, has_null_keys: bool = False) -> None:
        self._random = random
        self.has_null_keys = has_null_keys
        self.subgraphs = ["a", "b", "c", "d"][: random.randint(2, 4)]
        self.entities = [f"Entity{n}" for n in range(random.randint(2, 4))]
        self.values = [f"Value{n}" for n in range(random.randint(1, 2))]
        self.types: dict[str, RandomType] = {}
        for name in self.entities:
            self.types[name] = self._entity()
        for name in self.values:
            self.types[name] = RandomType({name: [] for name in self.subgraphs})
        self.things_in = {
            subgraph: members
            for subgraph in self.subgraphs
            if (members := [e for e in self.entities if subgraph in self.types[e].keys])
        }
        self.titled = self.entities[:2]
        self.titled_in = self._implementations()
        self._add_fields()
        self._add_requirements()
        self._add_provisions()
        self._add_overrides()
        self.types["Query"] = RandomType({name: [] for name in self.subgraphs})
        self._add_root_fields()
        self.rated_by = ""
        if self._random.random() < 0.6:
            self._add_rating()

    def _some(self, names: list[str], most: int = 4) -> list[str]:
        return self._random.sample(names, self._random.randint(1, min(most, len(names))))

    def _entity(self) -> RandomType:
        """An entity whose first subgraph knows every key, so that each leads to each."""
        where = self._some(self.subgraphs)
        has_sku = self._random.random() < 0.4
        keys = {name: [self._random.choice(["id", "sku"])] if has_sku else ["id"] for name in where}
        keys[where[0]] = ["id", "sku"] if has_sku else ["id"]
        made = RandomType(keys)
        for key in ("id", "sku"):
            owners = [name for name in where if key in keys[name]]
            if owners:
                is_nullable = self.has_null_keys and key == "sku"
                made.fields[key] = RandomField("ID" if is_nullable else "ID!", owners)
        return made

    def _implementations(self) -> dict[str, list[str]]:
        where = [
            name
            for name in self.subgraphs
            if any(name in self.types[entity].keys for entity in self.titled)
        ]
        return {
            name: [entity for entity in self.titled if name in self.types[entity].keys]
            for name in self._some(where, 2)
        }

    def _add_fields(self) -> None:
        first = next(iter(self.titled_in))
        for entity in self.titled:
            made = self.types[entity]
            made.fields["title"] = RandomField("String", list(made.keys))
            owners = [first] if first in made.keys else self._some(list(made.keys), 1)
            made.fields["extra"] = RandomField("String", owners)
        for name in (*self.entities, *self.values):
            made = self.types[name]
            where = list(made.keys)
            for number in range(self._random.randint(2, 4)):
                owners = self._some(where, 2) if name in self.entities else where
                leaf = RandomField(self._random.choice(["String", "String!"]), owners)
                leaf.has_argument = self._random.random() < 0.2
                made.fields[f"leaf{number}"] = leaf
            for number in range(self._random.randint(1, 3)):
                self._add_reference(name, f"link{number}")

    def _add_reference(self, name: str, field_name: str) -> None:
        if name in self.values:
            # A value type is answered whole wherever it is, so it may refer to values only.
            later = [value for value in self.values if value > name]
            if later:
                made = RandomField(self._wrapped(later[0]), list(self.subgraphs))
                self.types[name].fields[field_name] = made
            return
        returned = self._random.choice([*self.entities, *self.values, INTERFACE, UNION])
        where = [at for at in self.types[name].keys if self._has(at, returned)]
        if where:
            is_abstract = returned in (INTERFACE, UNION)
            owners = self._some(where, 1 if is_abstract else 2)
            made = RandomField(self._wrapped(returned), owners)
            self.types[name].fields[field_name] = made

    def _has(self, subgraph: str, name: str) -> bool:
        if name in (INTERFACE, UNION):
            return subgraph in (self.titled_in if name == INTERFACE else self.things_in)
        return subgraph in self.types[name].keys

    def _wrapped(self, name: str) -> str:
        return self._random.choice([name, f"{name}!", f"[{name}]", f"[{name}!]!"])

    def _add_requirements(self) -> None:
        for name in self.entities:
            made = self.types[name]
            at = self._random.choice(list(made.keys))
            wanted = [
                other
                for other, candidate in made.fields.items()
                if candidate.is_leaf and at not in candidate.owners and not candidate.requires
            ]
            if not wanted or self._random.random() < 0.3:
                continue
            chosen = self._some(wanted, 2)
            texts = []
            for other in chosen:
                made.fields[other].external_in.add(at)
                texts.append(f"{other}(x: 1)" if made.fields[other].has_argument else other)
            made.fields["sum"] = RandomField("String", [at], requires=" ".join(texts))

    def _add_provisions(self) -> None:
        for made in list(self.types.values()):
            for link in made.fields.values():
                if link.named_type not in self.entities or self._random.random() < 0.6:
                    continue
                at = self._random.choice(link.owners)
                fields = self.types[link.named_type].fields
                wanted = [
                    other
                    for other, candidate in fields.items()
                    if candidate.is_leaf and at not in candidate.owners and candidate.is_plain
                ]
                if wanted:
                    other = self._random.choice(wanted)
                    fields[other].external_in.add(at)
                    link.provides[at] = other

    def _add_overrides(self) -> None:
        for name in self.entities:
            made = self.types[name]
            for field_name, leaf in made.fields.items():
                losers = [
                    at for at in made.keys if at not in leaf.owners and at not in leaf.external_in
                ]
                is_plain = field_name.startswith("leaf") and len(leaf.owners) == 1
                if is_plain and losers and self._random.random() < 0.2:
                    leaf.overridden_in = self._random.choice(losers)

    def _add_root_fields(self) -> None:
        for number in range(self._random.randint(2, 4)):
            returned = self._random.choice([*self.entities, *self.entities, INTERFACE, UNION])
            where = [at for at in self.subgraphs if self._has(at, returned)]
            owners = self._some(where, 1 if returned in (INTERFACE, UNION) else 2)
            root = RandomField(self._wrapped(returned), owners)
            self.types["Query"].fields[f"root{number}"] = root

    def _add_rating(self) -> None:
        """Needs a subgraph that knows everything with the interface by `id`."""
        shown = {entity for entities in self.titled_in.values() for entity in entities}
        knowing = [
            at
            for at, entities in self.titled_in.items()
            if set(entities) == shown and all("id" in self.types[e].keys[at] for e in entities)
        ]
        if not knowing:
            return
        self.rated_by = knowing[0]
        self.subgraphs.append(RATING)
        rated = RandomType({RATING: ["id"]})
        rated.fields["id"] = RandomField("ID!", [RATING])
        rated.fields["stars"] = RandomField("String", [RATING])
        self.types[INTERFACE] = rated
        for entity in shown:
            self.types[entity].fields["stars"] = RandomField("String", [RATING])
        query = self.types["Query"]
        query.keys[RATING] = []
        query.fields["rated"] = RandomField(self._wrapped(INTERFACE), [RATING])

    # What the subgraphs declare.

    def sdl(self, subgraph: str) -> str:
        """The SDL of one subgraph, without its link to the federation specification."""
        parts = []
        for name, made in self.types.items():
            fields = list(self._declared(made, subgraph))
            if subgraph not in made.keys or not fields:
                continue
            titled = name in self.titled_in.get(subgraph, ())
            head = f"type {name}" + (f" implements {INTERFACE}" if titled else "")
            if name == INTERFACE:
                head += " @interfaceObject"
            keys = "".join(f' @key(fields: "{key}")' for key in made.keys[subgraph])
            parts.append(f"{head}{keys} {{ {' '.join(fields)} }}")
        if subgraph in self.titled_in:
            extra = " extra: String" if self._has_extra(subgraph) else ""
            key, id_ = "", ""
            if subgraph == self.rated_by:
                key, id_ = ' @key(fields: "id")', " id: ID!"
            parts.append(f"interface {INTERFACE}{key} {{ title: String{extra}{id_} }}")
        if subgraph in self.things_in:
            parts.append(f"union {UNION} = {' | '.join(self.things_in[subgraph])}")
        return "\n".join(parts)

    def _has_extra(self, subgraph: str) -> bool:
        return all(
            subgraph in self.types[name].fields["extra"].owners for name in self.titled_in[subgraph]
        )

    def _declared(self, made: RandomType, subgraph: str) -> Iterator[str]:
        for name, declared in made.fields.items():
            argument = "(x: Int)" if declared.has_argument else ""
            text = f"{name}{argument}: {declared.type}"
            if subgraph == declared.overridden_in:
                yield text
            elif subgraph in declared.external_in:
                yield f"{text} @external"
            elif subgraph in declared.owners:
                yield text + self._directives(declared, subgraph)

    def _directives(self, declared: RandomField, subgraph: str) -> str:
        text = ""
        if len(declared.owners) > 1 or declared.external_in:
            text += " @shareable"
        if declared.requires:
            text += f' @requires(fields: "{declared.requires}")'
        if subgraph in declared.provides:
            text += f' @provides(fields: "{declared.provides[subgraph]}")'
        if declared.overridden_in:
            text += f' @override(from: "{declared.overridden_in}")'
        return text

    # What clients ask.

    def operation(self) -> str:
        """A query, often valid: clashes of response keys are left to validation."""
        return "query " + self._selection("Query", 4)

    def _selection(self, name: str, depth: int) -> str:
        parts = ["__typename"] if self._random.random() < 0.3 else []
        if name == UNION:
            parts += self._fragments(
                sorted({m for ms in self.things_in.values() for m in ms}), depth
            )
        elif name == INTERFACE:
            has_extra = any(map(self._has_extra, self.titled_in))
            names = ["title", "extra"] if has_extra else ["title"]
            names += ["id", "stars"] if self.rated_by else []
            parts += self._random.sample(names, self._random.randint(0, len(names)))
            shown = {entity for entities in self.titled_in.values() for entity in entities}
            parts += self._fragments(sorted(shown), depth)
        else:
            fields = self.types[name].fields
            for chosen in self._some(list(fields)):
                parts += self._selected(chosen, fields[chosen], depth)
        return f"{{ {' '.join(parts) or '__typename'} }}"

    def _fragments(self, names: list[str], depth: int) -> list[str]:
        return [f"... on {name} {self._selection(name, depth)}" for name in self._some(names)]

    def _selected(self, name: str, chosen: RandomField, depth: int) -> list[str]:
        if chosen.has_argument:
            number = self._random.randint(1, 2)
            return [f"{name}_{number}: {name}(x: {number})"]
        alias = f"other_{name}: " if self._random.random() < 0.15 else ""
        condition = self._random.choice([""] * 8 + [" @include(if: true)", " @skip(if: true)"])
        if chosen.is_leaf:
            return [f"{alias}{name}{condition}"]
        if depth == 0:
            return []
        return [f"{alias}{name}{condition} {self._selection(chosen.named_type, depth - 1)}"]
