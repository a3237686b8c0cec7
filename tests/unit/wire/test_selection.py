"""Which of very many subjects are told."""

from bridge.wire.selection import Breadths, select

DEVICES = [f"devices.d{number:05}.state" for number in range(5000)]


def told(names: list[str], most: int, most_bytes: int = 1_000_000) -> list[str]:
    breadths = Breadths()
    places = select(names, [breadths.of(name) for name in names], most, most_bytes)
    return [names[place] for place in places]


def test_all_are_told_where_there_is_room() -> None:
    assert told(DEVICES, 5000) == DEVICES
    assert told([], 10) == []


def test_a_wide_branch_hides_no_other() -> None:
    names = sorted([*DEVICES, "a.b", "orders.eu.new", "orders.us.new", "zoo"])
    found = told(names, 10)
    assert found == sorted([*DEVICES[:6], "a.b", "orders.eu.new", "orders.us.new", "zoo"])


def test_the_widest_of_several_levels_counts() -> None:
    names = sorted(f"a.{one}.{two:03}" for one in "xyz" for two in range(100))
    assert told(names, 9) == [f"a.{one}.{two:03}" for one in "xyz" for two in range(3)]


def test_long_names_are_fewer() -> None:
    names = [f"{number}.{'x' * 98}" for number in range(10)]
    assert told(names, 10, 350) == names[:3]
    assert told(["é" * 100], 10, 150) == []
