"""Room for what waits for an answer: bounded in all, and for each holder or address."""

from __future__ import annotations

from collections import Counter

from bridge.wire.responses import Refusal


class Places:
    """`most` may wait in all, `of_one` of the same holder or address. `what`: in words."""

    def __init__(self, what: str, most: int, of_one: int) -> None:
        self._what, self._most, self._of_one = what, most, of_one
        self._all = 0
        self._by_who: Counter[tuple[str, ...]] = Counter()

    def check(self, who: tuple[str, ...]) -> None:
        """Raise Refusal (`limit`) if there is none left."""
        if self._by_who[who] >= self._of_one:
            text = f"At most {self._of_one} {self._what} from one holder or address may wait."
            raise Refusal("limit", text)
        if self._all >= self._most:
            raise Refusal("limit", f"Too many {self._what} wait for answers; please try again.")

    def take(self, who: tuple[str, ...]) -> None:
        """Take a place."""
        self._all += 1
        self._by_who[who] += 1

    def give_back(self, who: tuple[str, ...]) -> None:
        """Give one back."""
        self._all -= 1
        self._by_who[who] -= 1
        if not self._by_who[who]:
            del self._by_who[who]
