"""The dashboard asks for metrics that exist, by labels that they have."""

import json
import re
from pathlib import Path
from typing import Any

from backend.core import metrics

DASHBOARD: dict[str, Any] = json.loads((Path(__file__).parents[2] / "deploy/grafana.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
WORDS = {"max", "sum", "by", "rate", "increase"}


def labels() -> dict[str, set[str]]:
    """Every metric of ours by the name that Prometheus knows, and its labels."""
    collectors = {**metrics.GAUGES._names_to_collectors, **metrics.REGISTRY._names_to_collectors}
    return {name: set(one._labelnames) for name, one in collectors.items()}  # type: ignore[attr-defined]


def test_every_metric_of_the_dashboard_exists_with_its_labels() -> None:
    known = labels()
    for query in QUERIES:
        grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", query))))
        (metric,) = set(re.findall(r"[a-z]\w+", re.sub(r"\[\w+\]", "", query))) - WORDS - grouped
        assert grouped <= known[metric]


def test_the_dashboard_shows_every_metric() -> None:
    shown = " ".join(QUERIES)
    counters = {f"{family.name}_total" for family in metrics.REGISTRY.collect()}
    gauges = {family.name for family in metrics.GAUGES.collect()}
    assert [name for name in sorted(counters | gauges) if name not in shown] == []
