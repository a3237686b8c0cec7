"""What bundlers make of the client: in a browser, in React; and the client in Node."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.builds.project import CLIENT, NAME, run
from tests.support import readme
from tests.support.servers import Gateway

Publish = Callable[[str, bytes], None]

ADDRESS = "ws://127.0.0.1:5001/stream"
SUSPICIOUS = ("warn", "error", "resolve", "exist", "empty")

BUILDS = {
    "esbuild": ["esbuild", "app.js", "--bundle", "--format=esm", "--outfile=out/main.js"],
    "esbuild, one script": ["esbuild", "app.js", "--bundle", "--outfile=out/main.js"],
    "rollup": ["rollup", "app.js", "--format", "iife", "--file", "out/main.js"],
    "webpack": ["webpack", "./app.js", "--mode", "production", "-o", "out"],
    "vite": ["vite", "build", "--outDir", "out"],
}

COPIED_OR_PACKED = ("./client.js", NAME)


def show(page: Page, site: str, project: Path) -> None:
    """Open what a bundler made."""
    page_file = (project / "index.html").read_text()
    built = page_file.replace(' type="module" src="./app.js"', ' type="module" src="./out/main.js"')
    (project / "built.html").write_text(built)
    page.goto(f"{site}/built.html")


def expect_value(page: Page, publish: Publish, value: str) -> None:
    """Publish until the page shows it, however late the subscription is."""
    for _ in range(50):
        publish("room.temperature", b'{"celsius": %b}' % value.encode())
        try:
            expect(page.locator("#value")).to_have_text(value, timeout=200)
            return
        except AssertionError:
            continue
    raise AssertionError("the value was never shown")


@pytest.mark.parametrize(
    ("build", "source"),
    # Without a plugin rollup finds no package.
    [
        (build, each)
        for build in BUILDS
        for each in COPIED_OR_PACKED
        if (build, each) != ("rollup", NAME)
    ],
)
def test_bundlers_take_the_client_without_a_warning(project: Path, build: str, source: str) -> None:
    (project / "client.js").write_text((CLIENT / "client.js").read_text())
    (project / "app.js").write_text(
        f'import {{ Client }} from "{source}";\n'
        f'new Client({{ url: "{ADDRESS}" }}).subscribe("a", ({{ data }}) => console.log(data));\n'
    )
    lines = run(project, BUILDS[build]).splitlines()
    assert not [line for line in lines if any(word in line.lower() for word in SUSPICIOUS)], lines
    assert any((project / "out").rglob("*.js"))


@pytest.mark.parametrize("build", ["esbuild", "esbuild, one script", "rollup", "webpack"])
def test_what_a_bundler_made_receives_messages(
    allowing: Gateway, page: Page, project: Path, site: str, publish: Publish, build: str
) -> None:
    (project / "client.js").write_text((CLIENT / "client.js").read_text())
    (project / "app.js").write_text(
        f"""import {{ Client }} from "./client.js";
        const client = new Client({{ url: "{allowing.stream}" }});
        client.subscribe("room.temperature", ({{ data }}) => {{
          document.getElementById("value").textContent = data.celsius;
        }});"""
    )
    run(project, BUILDS[build])
    show(page, site, project)
    expect_value(page, publish, "21.5")


def test_what_a_bundler_made_says_that_it_has_to_be_told_where_the_gateway_is(
    page: Page, project: Path, site: str
) -> None:
    (project / "app.js").write_text(
        f"""import {{ Client }} from "{NAME}";
        try {{ new Client(); }} catch (error) {{
          document.getElementById("state").textContent = error.message;
        }}"""
    )
    run(project, BUILDS["esbuild"])
    show(page, site, project)
    expect(page.locator("#state")).to_contain_text("Say where the gateway is: new Client({ url:")


def test_the_hooks_of_the_documentation_show_live_values(
    allowing: Gateway, page: Page, project: Path, site: str, publish: Publish
) -> None:
    hooks = readme.block("jsx")
    assert ADDRESS in hooks
    (project / "hooks.jsx").write_text(hooks.replace(ADDRESS, allowing.stream))
    (project / "app.jsx").write_text(
        """import { StrictMode, useState } from "react";
        import { createRoot } from "react-dom/client";
        import { useConnection, useNewest } from "./hooks.jsx";
        function Temperature({ pattern }) {
          const message = useNewest(pattern);
          return <output id="value">{message?.data.celsius}</output>;
        }
        function App() {
          const [pattern, setPattern] = useState("nothing");
          return <>
            <b id="state">{useConnection()}</b>
            <button onClick={() => setPattern("room.*")}>follow</button>
            <button onClick={() => setPattern("nothing")}>leave</button>
            <Temperature pattern={pattern} />
          </>;
        }
        const root = document.body.appendChild(document.createElement("main"));
        document.getElementById("value").remove();
        document.getElementById("state").remove();
        createRoot(root).render(<StrictMode><App /></StrictMode>);"""
    )
    define = '--define:process.env.NODE_ENV="development"'
    run(
        project,
        ["esbuild", "app.jsx", "--bundle", "--jsx=automatic", define, "--outfile=out/main.js"],
    )
    show(page, site, project)
    expect(page.locator("#state")).to_have_text("open")
    page.get_by_role("button", name="follow").click()
    expect_value(page, publish, "21.5")
    page.get_by_role("button", name="leave").click()
    expect(page.locator("#value")).to_be_empty()
    publish("room.temperature", b'{"celsius": 30}')
    page.get_by_role("button", name="follow").click()
    expect_value(page, publish, "22.25")


def test_the_example_for_node_prints_messages(
    project: Path, gateway: Gateway, publish: Publish
) -> None:
    script = readme.block("mjs")
    assert ADDRESS in script
    (project / "app.mjs").write_text(script.replace(ADDRESS, gateway.stream))
    command = ["node", "app.mjs"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as node:
        timer = threading.Timer(20, node.kill)
        timer.start()
        over = threading.Event()

        def keep_publishing() -> None:
            while not over.wait(0.1):
                publish("orders.new", b'{"price": 21.5}')

        publisher = threading.Thread(target=keep_publishing)
        publisher.start()
        assert node.stdout is not None
        line = node.stdout.readline()
        over.set()
        publisher.join()
        timer.cancel()
        node.kill()
    assert line == "orders.new { price: 21.5 }\n"
