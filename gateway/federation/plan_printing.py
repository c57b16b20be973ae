"""Prints plans for people and for tests."""

from __future__ import annotations

from gateway.federation.plan import (
    Each,
    EntityInput,
    Fetch,
    Key,
    Node,
    OnTypes,
    Parallel,
    Plan,
    RepresentationField,
    RepresentationShape,
    Segment,
)


def plan_text(plan: Plan) -> str:
    """The requests of a plan, indented by nesting; without the projection."""
    lines: list[str] = []
    if plan.root is not None:
        _print_node(plan.root, 0, lines)
    if plan.introspection is not None:
        lines.append("Introspection")
    return "\n".join(lines) or "Nothing"


def _print_node(node: Node, depth: int, lines: list[str]) -> None:
    margin = "  " * depth
    if isinstance(node, Fetch):
        at = f" at {path_text(node.path)}" if node.path else ""
        lines.append(f"{margin}Fetch {node.subgraph}{at}")
        for entity_input in node.inputs:
            lines.append(f"{margin}  {_input_text(entity_input)}")
        lines.append(f"{margin}  {node.document}")
        if node.response_names:
            renamed = ", ".join(f"{key} is {name}" for key, name in node.response_names)
            lines.append(f"{margin}  renamed: {renamed}")
        return
    lines.append(f"{margin}{'Parallel' if isinstance(node, Parallel) else 'Sequence'}")
    for inner in node.nodes:
        _print_node(inner, depth + 1, lines)


def _input_text(entity_input: EntityInput) -> str:
    shapes = " | ".join(_shape_text(shape) for shape in entity_input.shapes)
    return f"${entity_input.variable} at {path_text(entity_input.path)}: {shapes}"


def path_text(path: tuple[Segment, ...]) -> str:
    """A path such as `products.@.seller<Shop>`: `@` is every item, `<>` holds type names."""
    text = ""
    for segment in path:
        if isinstance(segment, Key):
            text += f".{segment.name}"
        elif isinstance(segment, Each):
            text += ".@"
        else:
            assert isinstance(segment, OnTypes)
            text += f"<{','.join(sorted(segment.typenames))}>"
    return text.removeprefix(".")


def _shape_text(shape: RepresentationShape) -> str:
    sent = f" as {shape.send_typename}" if shape.send_typename else ""
    fields = " ".join(
        _field_text(field, is_key=field.name in shape.required_keys) for field in shape.fields
    )
    return f"{'/'.join(sorted(shape.typenames))}{sent} {{{fields}}}"


def _field_text(field: RepresentationField, *, is_key: bool = True) -> str:
    text = field.name if is_key else f"{field.name}?"
    if field.source != field.name:
        text += f"={field.source}"
    if field.on_types is not None:
        text += f"<{','.join(sorted(field.on_types))}>"
    if field.fields:
        text += f"{{{' '.join(_field_text(inner) for inner in field.fields)}}}"
    return text
