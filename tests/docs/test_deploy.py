"""What is deployed by the files in the repository fits the service, without Docker to try it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from bridge.settings.derived import Settings
from bridge.web.heartbeat import PING_INTERVAL_SECONDS
from tests.docs.test_readme import ROOT
from tests.support import readme

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
BALANCER = (ROOT / "deploy" / "haproxy.cfg").read_text()
GATEWAYS = [name for name, each in COMPOSE.items() if "build" in each]
COMPOSE_NATS = COMPOSE["gateway"]["environment"]
PORT_OF_THE_IMAGE = ("HTTP_HOST", "HTTP_PORT")
"""Compose publishes it as `PAGE_PORT`."""
ROUTES = set(re.findall(r'@app\.http\.\w+\("([^"]+)"\)', (ROOT / "main.py").read_text()))
INSIDE = {"/livez", "/readyz", "/metrics", "/connections"}
"""Paths that are not for browsers."""
LONGEST_STOP = 8
"""Seconds, as bridge/service/app.py adds them up."""
HAPROXY = shutil.which("haproxy", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")


def is_setting(name: str) -> bool:
    return name.lower() in Settings.model_fields


def in_container(service: str, **given: str) -> dict[str, str]:
    """Return the environment that Compose makes where a shell or `.env` has what is `given`."""

    def filled_in(value: str) -> str:
        return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: given.get(m[1]) or m[2], value)

    environment: dict[str, Any] = COMPOSE[service]["environment"]
    return {
        name: given[name] if value is None else filled_in(value)
        for name, value in environment.items()
        if value is not None or name in given
    }


@pytest.mark.parametrize("name", GATEWAYS)
def test_what_compose_sets_are_settings_with_values_that_count(name: str) -> None:
    environment = in_container(name)
    assert all(is_setting(each) for each in COMPOSE[name]["environment"])
    assert environment["ALLOW_ANONYMOUS"] == "true"
    Settings(**{each.lower(): value for each, value in environment.items()})


@pytest.mark.parametrize("service", GATEWAYS)
@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_a_setting_of_the_shell_or_of_env_is_one_of_the_container(name: str, service: str) -> None:
    """What was meant to be hidden must not be shown because its line got lost on the way."""
    own = {*PORT_OF_THE_IMAGE, "NATS_CONTEXT"}  # a file that is not in the container
    if service == "gateways":
        own |= {"AUTH_HEADER", "AUTH_GROUPS_HEADER", "AUTH_GROUPS_FILE"}
        own |= {"TRUSTED_PROXIES", *(name for name in COMPOSE_NATS if name.startswith("NATS_"))}
    if name in own:
        assert in_container(service, **{name: "given"}).get(name) != "given"
    else:
        assert in_container(service, **{name: "given"}).get(name) == "given", (
            f"{name} of .env would be lost: name it in x-settings of docker-compose.yml"
        )


@pytest.mark.parametrize("service", GATEWAYS)
def test_what_is_not_given_is_not_set_in_the_container(service: str) -> None:
    """An empty value is a wrong one for a number, and for true or false."""
    assert "" not in in_container(service).values()
    assert not {"MAX_CONNECTIONS", "DENY_SUBJECTS"} & set(in_container(service))


def test_logs_are_bounded_by_a_driver_that_docker_and_podman_have() -> None:
    for name, service in COMPOSE.items():
        assert service["logging"]["driver"] == "json-file", name
        assert {*service["logging"]["options"]} == {"max-size", "max-file"}, name


def test_without_a_profile_compose_starts_the_pair_alone() -> None:
    assert {name for name, each in COMPOSE.items() if "profiles" not in each} == {"nats", "gateway"}


def test_all_that_the_balancer_needs_starts_with_it() -> None:
    wanted, named = ["balancer"], {"balancer"}
    while wanted:
        needed = set(COMPOSE[wanted.pop()].get("depends_on", ())) - named
        wanted += needed
        named |= needed
    assert named == {
        name for name, each in COMPOSE.items() if "cluster" in each.get("profiles", ())
    }


def test_every_container_is_contained() -> None:
    for name, service in COMPOSE.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_every_port_is_for_this_machine_alone() -> None:
    for service in COMPOSE.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_a_stop_has_the_time_it_takes() -> None:
    for name in ("gateway", "gateways"):
        assert int(COMPOSE[name]["stop_grace_period"].removesuffix("s")) > LONGEST_STOP


def test_the_balancer_lets_browsers_reach_what_is_for_them_and_nothing_else() -> None:
    (line,) = re.findall(r"http-request deny .* unless (.*)", BALANCER)
    exact = re.findall(r"\{ path ([^}]*) \}", line)[0].split()
    beginnings = re.findall(r"\{ path_beg ([^}]*) \}", line)
    # What is in braces stands for the rest of a path.
    reached = {re.sub(r"\{.*", "", route) for route in ROUTES - INSIDE}
    assert {*exact, *beginnings} == reached


def test_the_balancer_answers_those_inside_as_the_readme_says() -> None:
    inside = BALANCER.partition("\nfrontend inside\n")[2].partition("\nbackend ")[0]
    (port,) = re.findall(r"bind :(\d+)", inside)
    asked = set(re.findall(rf"exec balancer .*http://127.0.0.1:{port}(/\w+)", readme.TEXT))
    assert asked == {*re.findall(r"stats uri (\S+)", inside), "/connections"}
    assert "use_backend ready if { path /connections }" in inside


def test_the_balancer_asks_gateways_what_they_answer() -> None:
    asked = re.findall(r"http-check send meth GET uri (\S+)", BALANCER)
    assert asked == ["/readyz", "/livez"]
    assert set(asked) <= ROUTES
    port = Settings.model_fields["http_port"].default
    servers = re.findall(r"server-template \S+ \d+ (\S+)", BALANCER)
    assert servers == [f"gateways:{port}"] * 2
    assert "gateways" in COMPOSE


def test_the_balancer_ends_no_websocket_between_two_pings() -> None:
    (seconds,) = re.findall(r"timeout tunnel (\d+)s", BALANCER)
    assert int(seconds) > 2 * PING_INTERVAL_SECONDS


@pytest.mark.skipif(not HAPROXY, reason="haproxy is not installed: apt-get install haproxy")
def test_haproxy_accepts_its_configuration() -> None:
    assert HAPROXY
    command = [HAPROXY, "-c", "-f", ROOT / "deploy" / "haproxy.cfg"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_the_image_is_started_with_settings_and_the_port_it_has() -> None:
    build, run = (each for each, (test, _) in readme.COMMANDS.items() if test == readme.IMAGE)
    assert run.split()[-1] == build.split()[-2] == "nats-bridge"
    dockerfile = (ROOT / "Dockerfile").read_text()
    (exposed,) = re.findall(r"^EXPOSE (\d+)", dockerfile, re.MULTILINE)
    host, _, port = re.findall(r"-p (\S+):(\d+):(\d+)", run)[0]
    assert (host, port) == ("127.0.0.1", exposed)
    given = dict(re.findall(r"-e (\w+)=(\S+)", run))
    assert given and all(is_setting(each) for each in given)
    settings = {name.lower(): value for name, value in given.items()}
    Settings(http_host="0.0.0.0", **settings)
