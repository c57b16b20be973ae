"""Counts and times requests for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True, slots=True)
class Watched:
    """A figure that is read whenever somebody asks for the metrics.

    Attributes:
        name: in Prometheus, which adds `_total` to that of a count.
        description: for who reads them there.
        is_count: whether it only grows, from 0 when the server starts.
    """

    name: str
    description: str
    value: Callable[[], float]
    is_count: bool = False


class _Figures(Collector):
    """Watched figures, by name."""

    def __init__(self) -> None:
        self.by_name: dict[str, Watched] = {}

    def collect(self) -> Iterator[Metric]:
        for each in self.by_name.values():
            family = CounterMetricFamily if each.is_count else GaugeMetricFamily
            yield family(each.name, each.description, value=each.value())


class Metrics:
    """What one server measures; each server has its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.under_way = Gauge(
            "alliance_requests_under_way", "GraphQL requests under way.", registry=self.registry
        )
        self._answered = Counter(
            "alliance_requests",
            "GraphQL requests by kind of operation and outcome.",
            ("kind", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "alliance_request_seconds",
            "Time from a request's headers to its answer.",
            ("kind",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._watched = _Figures()
        self.registry.register(self._watched)
        self._children: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    def watch(self, figures: Iterable[Watched]) -> None:
        """Shows these; one of a name that is shown already takes its place."""
        self._watched.by_name |= {figure.name: figure for figure in figures}

    def observe(self, kind: str, outcome: str, seconds: float) -> None:
        """Counts one request.

        Args:
            kind: `query`, `mutation`, or empty when it was never read.
            outcome: answered, partial, refused, failed or gone.
        """
        label = kind or "none"
        children = self._children.get((label, outcome))
        if children is None:  # Finding them anew each time costs more than counting.
            children = self._answered.labels(label, outcome), self._seconds.labels(label)
            self._children[label, outcome] = children
        answered, took = children
        answered.inc()
        took.observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)
