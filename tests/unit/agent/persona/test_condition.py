"""The small language of `when:`, and that it is no Python."""

from __future__ import annotations

import pytest

from agent.persona.condition import ConditionError, parse_condition

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("turn >= 3", True),
        ("turn < 3", False),
        ("seen.asks_problem", True),
        ("seen.never", False),
        ("seen.asks_problem and not slot.budget", True),
        ("slot.name == 'Anna'", True),
        ("slot.name in ['Anna', 'Ben'] or turn > 90", True),
        ("slot.size > 3", True),
        ("1 < turn <= 3", True),
        ("slot.budget > 3", False),
        ("slot.name not in ('Ben',)", True),
        ("None == slot.budget", True),
    ],
)
def test_conditions(text: str, expected: bool) -> None:
    condition = parse_condition(text)
    assert condition.holds(turn=3, slots={"name": "Anna", "size": "5"}, seen={"asks_problem": 2}) is expected


@pytest.mark.parametrize(
    "text",
    [
        "", "turn >", "open('x')", "slot.name.upper()", "slot['name']", "__import__('os')", "turn + 1", "lambda: 1",
        "vars.x", "slot", "name", "[x for x in slot]", "f'{turn}'", "turn if turn else 1", "turn is None", "9 ** 9",
        "(" * 500 + ")" * 500, "a\0b", "b'x' == turn",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_condition(text)
