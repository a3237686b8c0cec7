"""What browsers publish: judged, sent, counted, and answered once it is known what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from bridge.access.publish_policy import NOTHING, PublishPolicy
from bridge.publishing.delivery import Delivery, Outcome
from bridge.publishing.places import Places
from bridge.publishing.sender import PublishLimits, Sender
from bridge.telemetry import events
from bridge.wire import subjects
from bridge.wire.codes import REQUEST
from bridge.wire.responses import Refusal, shorten

if TYPE_CHECKING:
    from bridge.access.tokens import Principal
    from bridge.telemetry.counters import Counters, Published
    from bridge.telemetry.throttled_log import ThrottledLog
    from bridge.wire.publications import Publication

TIMEOUT_SECONDS = 2.0
"""For the answer to a request that names none."""
MAX_REQUESTS_EACH = 16
"""Requests of one sender that wait for their answers."""
MAX_REQUESTS_OF_ONE = 100
"""Of all senders of one holder, or of one address."""
MAX_REQUESTS = 1000
"""Of all of them."""
MAX_ACKS = 10000
"""Publications that wait for a stream."""
MAX_ACKS_OF_ONE = 1000
"""Of all senders of one holder, or of one address."""
MOST_IN_A_ROW = 10
"""What one sender publishes before it is the turn of others."""

Done = Callable[[Outcome], None]

_LOGGED = ("denied", "limit", "rate_limited")


class Publisher:
    """Publishes for browsers with the NATS client that `client` returns, None until there is one.

    `policy` returns what anybody may publish at all; each sender's own grants are within it. With a
    client of nats-py's own nothing is published: it does not tell what the server denies, or when
    the server has a message.
    """

    def __init__(
        self,
        client: Callable[[], Any],
        counters: Counters,
        policy: Callable[[], PublishPolicy] = lambda: NOTHING,
        limits: PublishLimits | None = None,
        throttled: ThrottledLog | None = None,
    ) -> None:
        self._client = client
        self._counters = counters
        self._policy = policy
        self._limits = limits or PublishLimits()
        self._throttled = throttled
        self._requests = Places("requests", MAX_REQUESTS, MAX_REQUESTS_OF_ONE)
        self._acks = Places("messages for streams", MAX_ACKS, MAX_ACKS_OF_ONE)

    def is_open_to(self, principal: Principal) -> bool:
        """Tell whether there is anything that it may publish."""
        return self._policy().shares_with(principal.publish)

    async def publish(
        self,
        publication: Publication,
        sender: Sender,
        principal: Principal,
        done: Done,
        request_id: bytes = b"",
    ) -> None:
        """Send a message, or refuse it; `done` is called once, now or later.

        Returns once the next one may be sent: those of one sender reach NATS in their order.
        """
        try:
            self._judge(publication, sender, principal)
            client = self._client()
            if client is not None and hasattr(client, "sending"):
                await client.sending.room()
            self._check(client, publication, sender)
        except Refusal as refusal:
            refusal.subjects, refusal.request_id = (publication.subject,), request_id
            code = cast("Published", refusal.code)
            self._counters.publishes[code] += 1
            self._log(code, publication.subject, principal)
            done(Outcome(refusal.line(), code))
            await asyncio.sleep(0)
            return
        begun = _now()

        def finish(delivery: Delivery, outcome: Outcome) -> None:
            sender.waiting.discard(delivery)
            self._give_back(delivery, sender)
            if outcome.result == "answered":
                self._counters.answered.observe(_now() - begun)
            self._counters.publishes[outcome.result] += 1
            done(outcome)

        timeout = publication.timeout or min(TIMEOUT_SECONDS, self._limits.max_request_timeout)
        delivery = Delivery(publication, request_id, client.sending, finish, timeout)
        self._take_place(delivery, sender)
        delivery.go()
        if sender.has_had_its_turn(MOST_IN_A_ROW):
            await asyncio.sleep(0)

    def _judge(self, publication: Publication, sender: Sender, principal: Principal) -> None:
        """Raise Refusal if the browser may not publish this, whatever NATS says."""
        limits = self._limits
        if not sender.allows_publish(_now()):
            text = f"At most {limits.publishes_per_second:g} messages a second, please."
            raise Refusal("rate_limited", text)
        if publication.timeout is not None and publication.timeout > limits.max_request_timeout:
            most = round(limits.max_request_timeout * 1000)
            raise Refusal("bad_request", f"timeout may be {most} milliseconds at most.")
        granted = (publication.subject, self._policy(), principal.publish)
        if sender.granted != granted:
            _judge_subject(*granted)
            sender.granted = granted  # most publish on one subject, again and again

    def _check(self, client: Any, publication: Publication, sender: Sender) -> None:
        """Raise Refusal if NATS cannot have it now."""
        if client is None or not client.is_connected:
            raise Refusal("nats_down", "NATS is away: nothing was sent.")
        if not hasattr(client, "sending"):
            raise Refusal("denied", "This program publishes nothing for browsers.")
        size = len(publication.payload) + len(publication.headers)
        if size > client.max_payload:
            text = f"NATS takes {client.max_payload} bytes at most, with headers; these are {size}."
            raise Refusal("too_large", text)
        if client.sending.is_too_long(publication.subject):
            raise Refusal("bad_subject", "This subject is too long for the NATS server.")
        if publication.action == REQUEST:
            if len(sender.waiting) >= MAX_REQUESTS_EACH:
                text = f"At most {MAX_REQUESTS_EACH} requests may wait for their answers."
                raise Refusal("limit", text)
            self._requests.check(sender.who)
        elif publication.ack:
            self._acks.check(sender.who)

    def _take_place(self, delivery: Delivery, sender: Sender) -> None:
        if delivery.is_request:
            sender.waiting.add(delivery)
            self._requests.take(sender.who)
        elif delivery.waits:
            self._acks.take(sender.who)

    def _give_back(self, delivery: Delivery, sender: Sender) -> None:
        if delivery.is_request:
            self._requests.give_back(sender.who)
        elif delivery.waits:
            self._acks.give_back(sender.who)

    def _log(self, code: str, subject: str, principal: Principal) -> None:
        if self._throttled is not None and code in _LOGGED:
            self._throttled.tell(
                events.PUBLISH_REFUSED,
                key=code,
                who=principal.name,
                subject=shorten(subject),
                reason=code,
            )


def _judge_subject(subject: str, anybody: PublishPolicy, holder: PublishPolicy) -> None:
    """Raise Refusal if nothing may be published there by these policies."""
    name = repr(shorten(subject))
    fault = subjects.fault(subject)
    if fault is None and not {*subjects.WILDCARDS}.isdisjoint(subjects.split(subject)):
        fault = "nothing is published on a pattern"
    if fault:
        raise Refusal("bad_subject", f"{name} is not a valid subject: {fault}.")
    if not (anybody.may_publish(subject) and holder.may_publish(subject)):
        raise Refusal("denied", f"Nothing may be published on {name} here.")


async def wait_for(publish: Callable[[Done], Awaitable[None]]) -> Outcome:
    """Call `publish` with what it is to tell; return what became of it."""
    told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def done(outcome: Outcome) -> None:
        if not told.done():  # whoever waited may be gone
            told.set_result(outcome)

    await publish(done)
    return await told


def _now() -> float:
    return asyncio.get_running_loop().time()
