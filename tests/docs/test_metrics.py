"""Documents, dashboard and alert rules speak of figures that a service really has."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from bridge.settings.derived import Settings
from tests.docs import promtool
from tests.docs.promql import asked_by
from tests.docs.test_readme import ROOT
from tests.support import readme
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, http, running, until

ALERTS = ROOT / "deploy" / "alerts.yml"
RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [
    *((f"alert {rule['alert']}", rule["expr"]) for rule in RULES),
    *((f"panel {p['title']}", query["expr"]) for p in PANELS for query in p["targets"]),
]
OF_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus gives to whatever it scrapes."""
SECTION = readme.TEXTS["docs/metrics.md"].partition("## Alerts\n")[2].partition("\n##")[0]

needs_promtool = pytest.mark.skipif(not promtool.found(), reason="there is no promtool")


@pytest.fixture(scope="module")
def text(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a real service says after some traffic."""
    with running(Gateway(nats_server.url, log=tmp_path_factory.mktemp("gateway") / "log")) as it:
        asyncio.run(traffic(it, nats_server))
        until(lambda: it.figures()["bridge_event_loop_lag_seconds_count"])
        return http(f"{it.url}/metrics")[1]


async def traffic(gateway: Gateway, server: NatsServer) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("some.traffic")
        with RawNats(server.port) as client:
            client.publish("some.traffic", b"1")
        await browser.next()


@pytest.fixture(scope="module")
def families(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))


def wrong_with(expression: str, families: Iterable[Metric]) -> set[str]:
    """Return what `expression` names that is not there."""
    asked = asked_by(expression)
    there: dict[str, dict[str, set[str]]] = {"up": {}}
    for sample in (sample for family in families for sample in family.samples):
        labels = there.setdefault(sample.name, {})
        for label, value in sample.labels.items():
            labels.setdefault(label, set()).add(value)
    wrong = asked.metrics.keys() - there.keys()
    known = set(OF_PROMETHEUS)
    for name in asked.metrics.keys() - wrong:
        known |= there[name].keys()
        for label, value in asked.metrics[name]:
            if label not in OF_PROMETHEUS and value not in {"", *there[name].get(label, ())}:
                wrong.add(f'{name}{{{label}="{value}"}}')
            if label not in OF_PROMETHEUS | there[name].keys():
                wrong.add(f"{name}{{{label}}}")
    return wrong | (asked.groups - known)


@pytest.mark.parametrize(("where", "expression"), QUERIES, ids=[where for where, _ in QUERIES])
def test_what_is_asked_for_exists(where: str, expression: str, families: list[Metric]) -> None:
    assert asked_by(expression).metrics
    assert wrong_with(expression, families) == set()


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("rate(bridge_nothing_total[5m]) > 0", "bridge_nothing_total"),
        ("bridge_nats_up == 0 or bridge_up", "bridge_up"),
        ('bridge_refused_total{reason="nothing"}', 'bridge_refused_total{reason="nothing"}'),
        ('bridge_refused_total{why=~".+"}', "bridge_refused_total{why}"),
        ("sum by (why) (rate(bridge_refused_total[5m]))", "why"),
        ("bridge_fan_out_seconds", "bridge_fan_out_seconds"),
        (
            'histogram_quantile(0.9, rate(bridge_fan_out_bucket{job=~"$job"}[1m]))',
            "bridge_fan_out_bucket",
        ),
    ],
)
def test_wrong_names_are_found(expression: str, wrong: str, families: list[Metric]) -> None:
    assert wrong in wrong_with(expression, families)


def labels_in(texts: Iterable[str]) -> set[str]:
    return {
        each for text in texts for each in re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", text)
    }


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_a_panel_says_what_it_shows_and_in_which_unit(
    panel: dict[str, Any], families: list[Metric]
) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for query in panel["targets"]:
        assert query["datasource"] == panel["datasource"]
        asked = asked_by(query["expr"])
        selected = [{label for label, _ in labels} for labels in asked.metrics.values()]
        assert all(OF_PROMETHEUS <= labels for labels in selected), "the variables choose"
        given = {label for f in families for s in f.samples for label in s.labels}
        assert labels_in([query.get("legendFormat", "")]) <= given | OF_PROMETHEUS


def test_the_dashboard_has_its_own_data_source_and_rows_that_do_not_overlap() -> None:
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert variables.keys() == {"datasource", *OF_PROMETHEUS}
    assert variables["datasource"]["type"] == "datasource"
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_there_are_five_alerts_that_say_what_to_do() -> None:
    assert len(RULES) == 5
    for rule in RULES:
        assert re.fullmatch(r"\d+m", rule["for"])
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert len(rule["annotations"]["description"]) > 200
        assert labels_in(rule["annotations"].values()) <= OF_PROMETHEUS


def test_readme_names_the_alerts() -> None:
    rows = re.findall(r"^\| `(Bridge\w+)` \| (\w+) \| (\w+) \|", SECTION, re.MULTILINE)
    assert rows == [(rule["alert"], rule["labels"]["severity"], rule["for"]) for rule in RULES]


def test_table_is_what_there_is(families: list[Metric]) -> None:
    table = "\n".join(["| figure | type | labels | what |", "|---|---|---|---|", *rows(families)])
    assert table in (ROOT / "docs" / "metrics.md").read_text(), f"it should read:\n\n{table}\n"


def rows(families: Iterable[Metric]) -> Iterable[str]:
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels: dict[str, dict[str, None]] = {}
        for label, value in (each for s in family.samples for each in s.labels.items()):
            labels.setdefault(label, {})[value] = None
        bounded = family.type != "histogram" and not name.endswith("_info")
        shown = [
            f"`{label}`: {', '.join(values)}" if bounded else f"`{label}`"
            for label, values in labels.items()
        ]
        what = family.documentation.rstrip(".")
        yield f"| `{name}` | {family.type} | {', '.join(shown)} | {what} |"


def test_the_readme_has_prometheus_scrape_a_gateway() -> None:
    config = yaml.safe_load(readme.block("yaml"))
    (job,) = config["scrape_configs"]
    assert f'job="{job["job_name"]}"' in ALERTS.read_text()
    (target,) = job["static_configs"][0]["targets"]
    assert target == f"127.0.0.1:{Settings.model_fields['http_port'].default}"
    assert config["rule_files"] == [ALERTS.name]


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", ALERTS), ("test", "rules", Path(__file__).parent / "alerts.yml")],
    ids=["check", "test"],
)
def test_promtool_takes_the_rules_and_they_fire_as_they_should(arguments: tuple[Any, ...]) -> None:
    done = subprocess.run([str(promtool.found()), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_nothing_to_mend_in_the_figures(text: str) -> None:
    check = [str(promtool.found()), "check", "metrics"]
    done = subprocess.run(check, input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
