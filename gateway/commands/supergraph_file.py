"""Reads supergraph files for the commands that run on them."""

from __future__ import annotations

from pathlib import Path

from graphql import GraphQLError

from gateway.federation.supergraph import Supergraph


class SupergraphUnreadable(Exception):
    """A file holds no supergraph that can be served; the message says why."""


def read_supergraph(file: Path, *, with_urls: bool = False) -> Supergraph:
    """The supergraph that a file describes.

    Args:
        with_urls: refuse one that does not say where its subgraphs are.

    Raises:
        SupergraphUnreadable: the file can not be read, or is no supergraph.
    """
    try:
        supergraph = Supergraph.parse(file.read_text(encoding="utf-8"))
        _ = supergraph.public_schema
    except (OSError, GraphQLError, ValueError, TypeError, KeyError) as error:
        raise SupergraphUnreadable(f"{file} is no supergraph: {error}") from error
    without_url = [name for name, url in supergraph.subgraphs.items() if not url]
    if with_urls and without_url:
        raise SupergraphUnreadable(f"{file} gives no URL for {', '.join(sorted(without_url))}")
    return supergraph
