"""`alliance plan`: how an operation would be answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from graphql import DocumentNode

from gateway.commands.failures import CommandFailed
from gateway.commands.supergraph_file import SupergraphUnreadable, read_supergraph
from gateway.federation.faults import RequestRefused
from gateway.federation.plan_printing import plan_text
from gateway.federation.planner import plan_operation
from gateway.federation.requests import check_valid, chosen_operation, parsed, variables_to_send
from gateway.federation.supergraph import Supergraph


def plan(
    supergraph: Annotated[
        Path, typer.Option(help="File with the supergraph SDL.", exists=True, dir_okay=False)
    ],
    operation: Annotated[
        Path, typer.Option(help="File with the GraphQL document.", exists=True, dir_okay=False)
    ],
    operation_name: Annotated[
        str | None, typer.Option(help="Needed when the document has several operations.")
    ] = None,
    variables: Annotated[
        str, typer.Option(help="JSON object; only those of @skip and @include matter.")
    ] = "{}",
    override_label: Annotated[
        list[str] | None, typer.Option(help="Override label that holds; may be repeated.")
    ] = None,
) -> None:
    """Print which subgraphs an operation asks, what, and in which order."""
    try:
        merged = read_supergraph(supergraph)
        document = parsed(operation.read_text(encoding="utf-8"), tokens_max=None)
        check_valid(document, merged.public_schema)
        given = _conditions(merged, document, operation_name, variables)
        made = plan_operation(merged, document, operation_name, given, override_label or ())
    except (SupergraphUnreadable, UnicodeDecodeError) as error:
        raise CommandFailed(str(error)) from error
    except RequestRefused as refused:
        told = "; ".join(fault.message for fault in refused.faults)
        raise CommandFailed(f"{operation} can not be planned: {told}") from refused
    typer.echo(plan_text(made))


def _conditions(
    supergraph: Supergraph, document: DocumentNode, name: str | None, text: str
) -> dict[str, Any]:
    """The variables given, checked; required ones may be missing, since they change no plan."""
    try:
        given: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandFailed(f"--variables is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise CommandFailed("--variables is no JSON object")
    if not given:
        return {}
    return variables_to_send(chosen_operation(document, name), given, supergraph.public_schema)
