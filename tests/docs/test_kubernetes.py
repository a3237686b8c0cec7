"""The manifest for Kubernetes is one, and fits the service."""

from __future__ import annotations

import copy
import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bridge import __version__
from bridge.settings.secret_files import HOLD_A_PATH
from bridge.settings.table import SECRETS
from tests.docs.test_deploy import LONGEST_STOP, ROUTES, is_setting
from tests.docs.test_readme import ROOT

TEXT = (ROOT / "deploy" / "kubernetes.yaml").read_text()
MANIFEST = {each["kind"]: each for each in yaml.safe_load_all(TEXT)}
POD = MANIFEST["Deployment"]["spec"]["template"]["spec"]
(GATEWAY,) = POD["containers"]
PROBES = ["startupProbe", "livenessProbe", "readinessProbe"]
VERSIONS = ["1.27", "1.32", "1.37"]


def check(resource: dict[str, Any], version: str) -> None:
    """Raise a ValidationError if it is not as the schema says; strict: if it has more, too."""
    kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["Deployment", "Service", "PodDisruptionBudget"])
def test_it_is_as_the_schema_of_kubernetes_says(kind: str, version: str) -> None:
    check(MANIFEST[kind], version)


def test_the_schema_check_finds_a_misspelt_field() -> None:
    wrong = copy.deepcopy(MANIFEST["Deployment"])
    (gateway,) = wrong["spec"]["template"]["spec"]["containers"]
    gateway["readinesProbe"] = gateway.pop("readinessProbe")
    with pytest.raises(kubernetes_validate.ValidationError, match="readinesProbe"):
        check(wrong, VERSIONS[-1])


def test_each_probe_asks_what_the_service_answers() -> None:
    asked = [GATEWAY[probe]["httpGet"] for probe in PROBES]
    # tests/service/life/test_probes.py asks them while NATS goes and comes.
    assert [each["path"] for each in asked] == ["/readyz", "/livez", "/livez"]
    assert {each["path"] for each in asked} <= ROUTES
    (port,) = GATEWAY["ports"]
    assert {each["port"] for each in asked} == {port["name"]}


def test_the_port_is_that_of_the_image() -> None:
    exposed = re.findall(r"^EXPOSE (\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    (port,) = GATEWAY["ports"]
    (service,) = MANIFEST["Service"]["spec"]["ports"]
    annotations = MANIFEST["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert [str(port["containerPort"])] == exposed == [annotations["prometheus.io/port"]]
    assert service["targetPort"] == port["name"]
    assert annotations["prometheus.io/path"] in ROUTES


def test_what_it_sets_are_settings() -> None:
    set_or_shown = re.findall(r"\{name: ([A-Z_]+),", TEXT)
    assert len(set_or_shown) >= len(GATEWAY["env"]) > 0
    assert all(is_setting(each) for each in set_or_shown)
    keys = re.findall(r"--from-file=(\w+)=", TEXT)
    assert keys and set(keys) <= set(HOLD_A_PATH)
    (mount,) = GATEWAY["volumeMounts"]
    assert mount["mountPath"] == str(SECRETS)


BACK_OFF_FORGOTTEN = 600
"""Seconds that a container has to run for Kubernetes to start it again without a wait."""


def test_a_pod_that_waits_for_nats_starts_over_without_ever_longer_waits() -> None:
    probe = GATEWAY["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > BACK_OFF_FORGOTTEN


def exposed() -> dict[str, Any]:
    """Return the Service with the lines that a comment has for one without an ingress."""
    shown = re.sub(r"^  # (type: |externalTrafficPolicy: )", r"  \1", TEXT, flags=re.MULTILINE)
    services = [each for each in yaml.safe_load_all(shown) if each["kind"] == "Service"]
    return dict(services[0])


@pytest.mark.parametrize("version", VERSIONS)
def test_without_an_ingress_addresses_are_those_of_browsers(version: str) -> None:
    check(exposed(), version)
    assert exposed()["spec"]["type"] in ("NodePort", "LoadBalancer")
    assert exposed()["spec"]["externalTrafficPolicy"] == "Local"


def test_the_policy_is_on_no_service_that_may_not_have_it() -> None:
    """Kubernetes refuses it beside ClusterIP, which no schema says."""
    spec = MANIFEST["Service"]["spec"]
    assert "type" not in spec and "externalTrafficPolicy" not in spec


def test_no_other_service_is_a_setting() -> None:
    """Kubernetes would set variables such as HTTP_PORT, after each Service of the namespace."""
    assert POD["enableServiceLinks"] is False


def test_every_part_selects_the_pods() -> None:
    template = MANIFEST["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    (constraint,) = POD["topologySpreadConstraints"]
    assert MANIFEST["Service"]["spec"]["selector"] == labels
    for spec in (MANIFEST["Deployment"]["spec"], MANIFEST["PodDisruptionBudget"]["spec"]):
        assert spec["selector"]["matchLabels"] == labels
    assert constraint["labelSelector"]["matchLabels"] == labels


def test_a_pod_has_the_time_a_stop_takes() -> None:
    pause = int(GATEWAY["lifecycle"]["preStop"]["exec"]["command"][-1])
    ready = GATEWAY["readinessProbe"]
    assert pause > ready["periodSeconds"] * ready["failureThreshold"]
    assert POD["terminationGracePeriodSeconds"] > pause + LONGEST_STOP


def test_a_pod_may_do_no_more_than_it_has_to() -> None:
    user = re.findall(r"^USER (\d+):(\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    context = POD["securityContext"]
    assert user == [(str(context["runAsUser"]), str(context["runAsGroup"]))]
    assert context["runAsNonRoot"] is True
    assert POD["automountServiceAccountToken"] is False
    assert GATEWAY["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_image_is_of_this_version() -> None:
    assert set(re.findall(r"nats-bridge:(\S+)", TEXT)) == {__version__}
