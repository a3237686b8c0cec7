"""What the documentation tells people to type and shows them, and which test does it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.support.servers import ROOT

FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in FILES}
"""The README, what contributors read, and each page of `docs/`, by its path."""
TEXT = "\n".join(TEXTS.values())

RUN = "test_make_run_does_what_the_readme_says"
LONG = "test_a_long_command_is_there_with_these_options"
COMPOSE = "test_the_compose_file_is_one_and_starts_what_the_readme_says"
TOKENS = "test_tokens_are_made_and_listed_as_the_readme_says"
INSIDE = "test_the_balancer_answers_those_inside_as_the_readme_says"
CURL = "test_curl_publishes_and_asks_as_the_documentation_says"
CFG = "read from its configuration; `make cluster` asks it"
VERSION = "test_the_version_is_told_as_those_who_report_are_asked"
ROSTER = "test_operators_get_the_list_that_the_readme_shows"
PROXIED = "test_messages_come_through_the_proxy"
RECIPE = "test_the_recipe_lets_in_those_who_have_a_token"
IMAGE = "test_the_image_is_started_with_settings_and_the_port_it_has"
WALL = "test_the_wall_of_the_documentation_is_right_after_every_restart"
RIGHTS = "test_a_user_with_the_rights_of_the_documentation_reads_the_past"
REPEATED = "test_what_only_repeats_an_example_stands_on_a_page_that_is_tried"

COMMANDS: dict[str, tuple[str, str]] = {
    "make run": (RUN, "as it stands"),
    "HTTP_PORT=8080 make run": (RUN, "with a free port"),
    "ALLOWED_ORIGINS=http://localhost:3000 make run": (RUN, "as it stands"),
    "NATS_URL=nats://a:4222,nats://b:4222 make run": (RUN, "with two servers of ours"),
    "TLS_CERT=cert.pem TLS_KEY=key.pem make run": (
        RUN,
        "with the certificate that is made as it says",
    ),
    ".venv/bin/python main.py --http-port 8080": (RUN, "with a free port"),
    """nats pub test.subject '{"hello": "world"}'""": (
        "test_a_message_of_ones_own_is_seen",
        "by a program of that name that publishes with nats-py: the real one is not installed",
    ),
    """nats pub room.temperature '{"celsius": 21.5}'""": (
        "test_the_ten_lines_of_the_readme_show_live_values",
        "published by the test, whose page shows it",
    ),
    "nats stream add SENSORS --subjects 'sensors.*' --max-msgs-per-subject 100 --defaults": (
        WALL,
        "read, and done by the API of JetStream: the real one is not installed",
    ),
    """nats pub sensors.kitchen '{"celsius": 21.5}'""": (WALL, "published by the test"),
    """nats pub sensors.cellar '{"celsius": 11.2}'""": (WALL, "as above"),
    "nats stream edit SENSORS --allow-direct": (RIGHTS, "done by the API of JetStream"),
    """curl http://127.0.0.1:5001/stream -d '{"connection_id": "…", "subjects": ["orders.*"]}'""": (
        "test_curl_follows_subjects_for_a_connection",
        "with a free port and the id of a connection",
    ),
    "curl 'http://127.0.0.1:5001/stream?subjects=orders.*&history=last:100&live=false'": (
        "test_curl_reads_the_past_and_stops_or_goes_on",
        "with a free port",
    ),
    "curl -N 'http://127.0.0.1:5001/stream?subjects=orders.*&history=since:5m'": (
        "test_curl_reads_the_past_and_stops_or_goes_on",
        "with a free port",
    ),
    "curl -N 'http://127.0.0.1:5001/stream?subjects=orders.*&limit=10'": (
        "test_curl_reads_messages_until_its_limit",
        "with a free port",
    ),
    """curl -d '{"hello": "world"}' http://127.0.0.1:5001/publish/test.subject""": (
        CURL,
        "with a free port; that a gateway with a server of its own lets it, in another test",
    ),
    """curl -d '{"total": 21.50}' http://127.0.0.1:5001/publish/orders.new""": (
        CURL,
        "a free port",
    ),
    """curl -d '{"total": 21.50}' -H 'Nats-Msg-Id: a1' """
    """'http://127.0.0.1:5001/publish/test.subject?ack=1'""": (CURL, "as above"),
    """curl -d '[1, 2]' 'http://127.0.0.1:5001/request/rpc.sum?timeout=2000'""": (CURL, "as above"),
    "WORKERS=4 make run": (RUN, "as it stands"),
    "TRUSTED_PROXIES=127.0.0.1 ALLOWED_ORIGINS=https://live.example.com make run": (
        RUN,
        "as it stands; with a real proxy in front by the tests of its recipe",
    ),
    'curl -H "Authorization: Bearer $OPERATOR_TOKEN" http://127.0.0.1:5001/connections': (
        ROSTER,
        "with a free port",
    ),
    "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout key.pem -out cert.pem "
    "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1": (
        "test_make_run_serves_https_with_a_certificate_made_as_the_readme_says",
        "as it stands",
    ),
    "python3 -m http.server 3000": (
        "test_the_ten_lines_of_the_readme_show_live_values",
        "served by the test, from a free port",
    ),
    """printf '{"name": "ann", "token": "%s", "allow": ["orders.>"]}\\n' """
    '"$(openssl rand -hex 32)" > tokens.ndjson': (RECIPE, "as it stands"),
    "chmod 600 tokens.ndjson": (RECIPE, "as it stands"),
    "HTTP_HOST=0.0.0.0 TLS_CERT=cert.pem TLS_KEY=key.pem TOKENS_FILE=tokens.ndjson "
    "ALLOWED_ORIGINS=https://live.example.com:5001 make run": (
        RECIPE,
        "with a free port, and a certificate made by the command for one",
    ),
    "npm pack ./page/js": (
        "test_the_package_is_called_as_the_repository_and_holds_the_client_and_its_types",
        "into a folder of the test",
    ),
    "openssl rand -hex 32": (TOKENS, "as it stands"),
    'printf %s "$TOKEN" | sha256sum': (TOKENS, "as it stands"),
    "pip install -r requirements.txt && python main.py": (
        "test_direct_requirements_are_among_those_installed",
        "the first half may need a compiler; the second is what every test of the service starts",
    ),
    "docker compose up": (COMPOSE, "read by Docker Compose: an engine is not everywhere"),
    "LOG_FORMAT=json docker compose up": (COMPOSE, "as above"),
    "docker compose down -v": (COMPOSE, "as above"),
    "docker compose logs gateway": (COMPOSE, "as above"),
    "docker build -t nats-bridge .": (IMAGE, "read: an engine is not everywhere"),
    "docker run --init -p 127.0.0.1:5001:5001 --add-host host.docker.internal:host-gateway "
    "-e ALLOW_ANONYMOUS=true -e NATS_URL=nats://host.docker.internal:4222 nats-bridge": (
        IMAGE,
        "as above",
    ),
    "docker compose --profile cluster up balancer": (
        "test_all_that_the_balancer_needs_starts_with_it",
        "read from the file; `make cluster` does it",
    ),
    "docker compose exec balancer wget -q -O - 'http://127.0.0.1:8404/stats;csv'": (INSIDE, CFG),
    "docker compose exec balancer wget -q -O - "
    '--header "Authorization: Bearer $OPERATOR_TOKEN" http://127.0.0.1:8404/connections': (
        INSIDE,
        CFG,
    ),
    "kubectl create secret generic nats-bridge --from-file=tokens_file=tokens.ndjson": (
        "test_what_it_sets_are_settings",
        "read: there is no Kubernetes",
    ),
    "kubectl apply -f deploy/kubernetes.yaml": (
        "test_it_is_as_the_schema_of_kubernetes_says",
        "held to the schemas of several versions",
    ),
    "make cluster": (LONG, "its options: it needs an engine"),
    "make bench": (LONG, "its options, not its minutes"),
    "make bench QUICK=1": (LONG, "as above"),
    "make soak": (LONG, "as above"),
    "make soak MINUTES=2": (LONG, "as above; test_load.py does a part of it"),
    "make soak ONLY=idle": (LONG, "as above"),
    "make soak ONLY=faults": (LONG, "as above"),
    "make soak ONLY=faults MINUTES=2 SEED=4711": (LONG, "as above"),
    "make fuzz": (LONG, "as above; test_fuzz.py does a part of it"),
    "make test": (LONG, "as above: it runs this very test"),
    ".venv/bin/python main.py --version": (VERSION, "with the Python of the tests"),
    "make quick": (LONG, "as above"),
    "make coverage": (LONG, "as above"),
    "make long": (LONG, "as above"),
    "make setup": (LONG, "as above"),
    "make test-oldest": (LONG, "as above"),
    "make check": (LONG, "as above; it runs the tests of the documentation"),
    ".venv/bin/python -m bench.slow": (LONG, "as above"),
    ".venv/bin/python -m bench.idle": (LONG, "as above"),
    ".venv/bin/python -m bench.streams": (LONG, "as above"),
    ".venv/bin/python -m bench.publishing": (LONG, "as above"),
    ".venv/bin/python -m bench.denials": (LONG, "as above"),
    ".venv/bin/python -m bench.rates": (LONG, "as above"),
    ".venv/bin/python -m bench.compressed": (LONG, "as above"),
    ".venv/bin/python -m bench.compressed --rate 100": (LONG, "as above"),
    ".venv/bin/python -m bench.workers": (LONG, "as above"),
    ".venv/bin/python -m bench.heart": (LONG, "as above"),
    ".venv/bin/python -m bench.heart turnover toggle --gateway ../before": (LONG, "as above"),
    ".venv/bin/python -m tests.timing 20": (LONG, "as above"),
    "python -m docs.screenshots": (LONG, "as above"),
}
"""Each command in the documentation: the test that runs it or does what it says, and how."""

SCRIPTS = {
    "python": "test_the_callback_of_the_readme_is_called_for_each_message",
    "conf": RIGHTS,
    "xhtml": WALL,
    "html": "test_the_ten_lines_of_the_readme_show_live_values",
    "yaml": "test_the_readme_has_prometheus_scrape_a_gateway",
    "js": "test_the_script_of_the_readme_gets_messages_and_comes_back",
    "javascript": "test_the_event_source_of_the_documentation_logs_messages_and_notices",
    "jsx": "test_the_hooks_of_the_documentation_show_live_values",
    "mjs": "test_the_example_for_node_prints_messages",
    "py": CURL,
}
"""The test that runs the one block of each language."""

RECIPES = {"nginx": PROXIED, "caddy": PROXIED, "toml": PROXIED, "haproxy": PROXIED}
"""The test that runs every block of each language, with the real proxy that reads it."""

EXAMPLES = {
    "README.md": REPEATED,
    "docs/access.md": TOKENS,
    "docs/deploy.md": ROSTER,
    "docs/logs.md": "test_a_line_of_the_log_is_as_the_readme_shows_it",
    "docs/troubleshooting.md": REPEATED,
    "docs/wire.md": "test_the_wire_is_as_the_readme_shows_it",
}
"""The test that gets or sends every line of JSON on each page that has some."""

VARIES = ("dropped", "epoch", "replica", "host", "since", "time")
"""Fields that differ from time to time; so do ids of connections, and addresses."""

NOT_CODE = {"", "mermaid"}
"""Kinds of blocks that nothing can run: drawings."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the page it stands on."""

    kind: str
    text: str
    page: str


def blocks() -> list[Block]:
    """Return every fenced block of the documentation."""
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [
        Block(kind, text, page)
        for page, whole in TEXTS.items()
        for kind, text in fence.findall(whole)
    ]


def block(kind: str) -> str:
    """Return the one block of that language."""
    (text,) = (each.text for each in blocks() if each.kind == kind)
    return text


def spans() -> list[tuple[str, str]]:
    """Return what stands between single backticks, each with its page."""
    fence = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    plain = {page: fence.sub("", text) for page, text in TEXTS.items()}
    return [(page, span) for page in plain for span in re.findall(r"`([^`]+)`", plain[page])]


def commands() -> list[str]:
    """Return every command of the documentation, in blocks and in the text, without comments."""
    lines = [line for each in blocks() if each.kind == "sh" for line in each.text.splitlines()]
    found = [re.sub(r"(^|\s+)#.*", "", line) for line in lines]
    program = (
        r"(?:\w+=\S+ )*(?:\S*python3?|make|nats pub|docker|kubectl|curl|pip|openssl|printf) .+"
    )
    joined = (" ".join(span.split()) for _, span in spans())
    found += [span for span in joined if re.fullmatch(program, span)]
    return [command for command in found if command]


def examples(page: str | None = None) -> list[str]:
    """Return every line of JSON of a page, or of all, in blocks and in the text."""
    lines = [
        (each.page, line)
        for each in blocks()
        if each.kind == "json"
        for line in each.text.splitlines()
    ]
    lines += [(name, span) for name, span in spans() if span.startswith('{"')]
    return [line for name, line in lines if page in (None, name)]


class Conversation:
    """The examples of a page, each of which has to be seen or used by the end."""

    def __init__(self, page: str) -> None:
        self._page = page
        self.left = examples(page)

    def saw(self, frame: str) -> None:
        """Fail unless the documentation shows `frame`, which a gateway sent, to the last digit."""
        same = [line for line in examples() if shape(line) == shape(frame)]
        assert same, f"the documentation has no such frame: {frame}"
        self.left = [line for line in self.left if line not in same]

    def use(self, part: str) -> Any:
        """Return the one example that holds `part`, to be sent or written."""
        (line,) = {line for line in examples(self._page) if part in line}
        self.left = [each for each in self.left if each != line]
        return json.loads(line)


def shape(line: str) -> object:
    """Return a line of JSON for comparison, without what differs from time to time."""

    def masked(pairs: list[tuple[str, object]]) -> object:
        return [(key, "…" if key in VARIES else value) for key, value in pairs]

    line = re.sub(r"\b[0-9a-f]{32}\b|\b\d+\.\d+\.\d+\.\d+\b", "…", line)
    return json.loads(line, object_pairs_hook=masked, parse_float=str, parse_int=str)
