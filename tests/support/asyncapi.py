"""The description of the wire in `docs/asyncapi.yaml`, and which of its messages a frame is."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

import yaml
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from tests.support.servers import ROOT

PATH = ROOT / "docs" / "asyncapi.yaml"
HERE = "urn:description"
"""What the description is called where its schemas refer to it."""


class Description:
    """AsyncAPI's view of the gateway: what it takes is `receive`, what it says is `send`.

    A message is of a *kind*: its name under `components`. Its schema is as it stands there or, if
    that is `strict`, knows no keys but those that are described: for clients there may be others,
    from later versions, but not for who tests this one.
    """

    def __init__(self, document: Any) -> None:
        self.document = document
        self.messages: dict[str, Any] = document["components"]["messages"]

    @classmethod
    def load(cls) -> Description:
        return cls(yaml.safe_load(PATH.read_text()))

    @cached_property
    def strict(self) -> Description:
        document = copy.deepcopy(self.document)
        for message in document["components"]["messages"].values():
            payload = message["payload"]
            for schema in (payload, *payload.get("properties", {}).values()):
                if schema.get("type") == "object":
                    schema.setdefault("additionalProperties", False)
        return Description(document)

    def kinds(self, channel: str, action: str) -> list[str]:
        """Return the kinds that the gateway receives, or sends, on a channel, replies included."""
        found: list[dict[str, str]] = []
        for operation in self.document["operations"].values():
            reply = operation.get("reply", {"channel": operation["channel"], "messages": []})
            other = "send" if operation["action"] == "receive" else "receive"
            for part, direction in ((operation, operation["action"]), (reply, other)):
                if direction == action and part["channel"]["$ref"].endswith(f"/{channel}"):
                    found += part["messages"]
        return list(dict.fromkeys(each["$ref"].rpartition("/")[2] for each in found))

    def of(self, channel: str, action: str, value: object) -> list[str]:
        """Return the kinds that `value` could be."""
        return [kind for kind in self.kinds(channel, action) if self.fits(kind, value)]

    def fits(self, kind: str, value: object) -> bool:
        return self._validators[kind].is_valid(value)

    def resolved(self, schema: Any) -> Any:
        """Return what a schema refers to, if that is all it does."""
        while "$ref" in schema:
            found = self.document
            for name in schema["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            schema = found
        return schema

    def keys(self, kind: str) -> dict[str, Any]:
        """Return the keys of a kind that is a JSON object, with their schemas.

        `kind.key` stands for the object that a kind has as a value.
        """
        properties = self._schema(kind).get("properties", {})
        return {name: self.resolved(schema) for name, schema in properties.items()}

    def optional(self, kind: str) -> set[str]:
        """Return those of the keys that may be missing."""
        return {*self.keys(kind)} - {*self._schema(kind).get("required", ())}

    def comes_with(self, kind: str, status: int | None) -> bool:
        """Tell whether a kind can come with this status of HTTP; None: not over HTTP."""
        message = self.messages[kind]
        one = message.get("bindings", {}).get("http", {}).get("statusCode")
        several = [each["status"] for each in message.get("x-statuses", ())]
        return (one is None and not several) or status in (one, *several)

    def _schema(self, kind: str) -> Any:
        name, _, key = kind.partition(".")
        payload = self.messages[name]["payload"]
        return payload.get("properties", {}).get(key, {}) if key else payload

    @cached_property
    def _validators(self) -> dict[str, Draft7Validator]:
        registry: Registry[Any] = Registry().with_resource(
            HERE, DRAFT7.create_resource(self.document)
        )
        return {
            kind: Draft7Validator(
                {"$ref": f"{HERE}#/components/messages/{kind}/payload"}, registry=registry
            )
            for kind in self.messages
        }


def words(schema: Any) -> set[str]:
    """Return the closed list of words that a key, or each item of it, is one of.

    Of what may be such a word or else an object, those and the keys of the object.
    """
    found = {*schema.get("enum", schema.get("items", {}).get("enum", ()))}
    for each in schema.get("oneOf", ()):
        found |= {*each.get("enum", ()), *each.get("properties", ())}
    return found


_BEGUN = {"stream": "ORDERS", "epoch": "mik3x0aa", "after": 1200, "messages": 34}


WRONG_HEADERS: list[object] = [
    {"a": 1},
    {"a b": "c"},
    {"a": "b\nc"},
    [["a"]],
    [["a", 1]],
    [["a", "b", "base64"]],
]
"""What nobody may send along with a message."""
WRONG_HISTORY: list[object] = [
    "everything",
    {},
    {"last": 0},
    {"last": "100"},
    {"last": 1, "seq": 1},
    {"first": 1},
    {"since": "5 minutes"},
    {"since": "2026-03-01T12:00:00"},
    {"after": "ORDERS.1234"},
    {"after": "ORDERS.mik3x0aa.1234/"},
]
"""What nobody may ask for of the past."""
WRONG: dict[str, list[tuple[str, object]]] = {
    "subscribe": [
        ("subjects", []),
        ("subjects", ["a"] * 129),
        ("id", "x" * 199),
        ("max_rate", 0),
        ("max_rate", 2),
        ("max_rate", 101),
        ("stream", "ORDERS"),
        ("stream", "a.b"),
        *(("history", each) for each in WRONG_HISTORY),
    ],
    "unsubscribe": [("meta", ["time"])],
    "publish": [
        ("msg_id", ""),
        ("msg_id", "a\r\nb"),
        ("timeout", 2000),
        *(("headers", each) for each in WRONG_HEADERS),
    ],
    "request": [
        ("timeout", 0),
        ("timeout", "2000"),
        ("ack", True),
        ("msg_id", "a1"),
        ("meta", ["time"]),
        *(("headers", each) for each in WRONG_HEADERS),
    ],
    "greeting": [("connection_id", "7f3a"), ("allow", ["a"] * 129), ("deny", ["a"] * 129)],
    "subscribed": [
        ("subjects", []),
        ("message", ""),
        ("history", {**_BEGUN, "after": -1}),
        ("history", {**_BEGUN, "resumed": False}),
        ("history", {**_BEGUN, "resumed": True, "reason": "too_many"}),
        ("history", {**_BEGUN, "reason": "expired"}),
    ],
    "unsubscribed": [("subjects", []), ("subjects", ["a", "b"])],
    "pong": [("subjects", ["a"])],
    "published": [("subject", ""), ("stream", "A"), ("seq", 1), ("duplicate", False)],
    "stored": [("subject", ""), ("stream", ""), ("seq", 0), ("seq", 1.5)],
    "replied": [
        ("reply", {}),
        ("reply", {"data": 1, "encoding": "text"}),
        ("reply", {"data": "a", "encoding": "text_"}),
        ("reply", {"data": 1, "headers": [["a"]]}),
    ],
    "refused": [("message", ""), ("reason", "no_reason"), ("err_code", "10077")],
    "message": [
        ("subject", ""),
        ("seq", 0),
        ("seq", 1.5),
        ("operation", ""),
        ("time", "2026-03-01 12:00"),
        ("headers", [["a"]]),
        ("headers", [["a", 1]]),
        ("headers", [[1, "b"]]),
        ("headers", [["a", "b", "text"]]),
        ("headers", [["a", "b", "base64", "c"]]),
    ],
    "dropped": [("dropped", 0), ("dropped", 1.5)],
    "live": [("seq", -1), ("epoch", "MIK"), ("stream", ""), ("subjects", [])],
    "behind": [("stream", "a.b"), ("subjects", [])],
    "missed": [("reason", "unknown"), ("after", -1), ("until", 1.5), ("subjects", [])],
}
"""For some kinds, keys with values that are wrong in ways of their own."""


def spoilt(
    kind: str, frame: dict[str, Any], optional: Collection[str] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield copies of a frame with one fault each, and what that is.

    To be without a key is no fault if it is `optional`.
    """
    yield "an unknown key", frame | {"no_such_key": 1}
    for key, value in WRONG.get(kind, ()):
        yield f"{key} is wrong", frame | {key: value}
    for key, value in frame.items():
        if key not in optional:
            yield f"no {key}", {name: each for name, each in frame.items() if name != key}
        if key == "data" and kind == "message" and "encoding" not in frame:
            continue  # a payload may be anything
        # No other key holds such an object, and no list a number.
        yield f"{key} is an object", frame | {key: {"no": "such"}}
        if isinstance(value, list):
            yield f"{key} holds a number", frame | {key: [*value, 5]}
        if isinstance(value, bool) and key not in ("complete", "duplicate", "gap"):  # may be either
            yield f"{key} is {not value}", frame | {key: not value}
        if key in ("action", "code", "encoding", "status"):
            yield f"{key} is no such word", frame | {key: f"{value}_"}


def shape(frame: dict[str, Any]) -> str:
    """Return what frames have in common that need not all be spoilt: keys, and types of values."""
    return json.dumps({key: type(value).__name__ for key, value in frame.items()})
