"""Saves requests by letting some wait for a later one to the same subgraph; lays out waves."""

from __future__ import annotations

from collections.abc import Sequence as Many

from gateway.federation.plan import Fetch, Node, Parallel, Sequence
from gateway.federation.planner.drafts import RequestDraft, requests_by_wave


def delayed(requests: list[RequestDraft]) -> list[RequestDraft]:
    """The requests, less those whose inputs could travel with a later one.

    A request waits only when nothing that needs its answer has to wait for it: the number of
    waves stays the same.
    """
    left = list(requests)
    for request in sorted(requests, key=lambda draft: -draft.wave):
        if request.root is not None:
            continue
        latest = min((other.wave for other in left if request in other.needs), default=None)
        later = [
            other
            for other in left
            if other.root is None
            and other.subgraph == request.subgraph
            and other.wave > request.wave
            and (latest is None or other.wave < latest)
        ]
        if later:
            host = min(later, key=lambda draft: draft.wave)
            host.absorb(request)
            left.remove(request)
            for other in left:
                if request in other.needs:
                    other.needs.remove(request)
                    other.needs.add(host)
    return left


def in_waves(requests: list[RequestDraft]) -> list[list[RequestDraft]]:
    """Requests that run at the same time, wave by wave."""
    return requests_by_wave(requests)


def laid_out(waves: Many[Many[Fetch]]) -> Node | None:
    """Fetches as plan nodes; None when there is nothing to fetch."""
    nodes: list[Node] = [
        wave[0] if len(wave) == 1 else Parallel(tuple(wave)) for wave in waves if wave
    ]
    if not nodes:
        return None
    return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))
