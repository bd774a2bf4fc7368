"""`when:` of an intent: a small language of comparisons, read by `ast` and walked, never evaluated.

Names: `turn` (the user's turns so far, from 1), `slot.name` (a string, a number when it is one, or None),
`seen.intent_id` (how often an intent was answered). Operators: and or not == != < <= > >= in, with strings, numbers
and lists.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_GROUPS = ("slot", "seen")


class ConditionError(ValueError):
    """A condition that cannot be read; the text says which part."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read and found safe."""

    tree: ast.expr

    def holds(self, *, turn: int, slots: Mapping[str, str], seen: Mapping[str, int]) -> bool:
        """Whether it is true now; comparing what cannot be compared is false."""
        return bool(_value(self.tree, {"turn": turn, "slot": slots, "seen": seen}))

    def names(self) -> Iterator[tuple[str, str]]:
        """`("slot", "budget")`, `("seen", "asks_problem")`, ... in no order."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield node.value.id, node.attr


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        ConditionError: not an expression, or it uses more than the module names.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConditionError(f"cannot read the condition '{text}'") from None
    _check(tree)
    return Condition(tree)


def _check(node: ast.expr) -> None:
    match node:
        case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values):
            parts = values
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            parts = [operand]
        case ast.Compare(left=left, ops=ops, comparators=comparators) if all(type(op) in _COMPARE for op in ops):
            parts = [left, *comparators]
        case ast.Attribute(value=ast.Name(id=group)) if group in _GROUPS:
            parts = []
        case ast.Constant(value=str() | int() | float() | None) | ast.Name(id="turn"):
            parts = []
        case _:
            raise ConditionError(
                f"a condition may use turn, slot.name, seen.intent, comparisons and, or, not; not '{ast.unparse(node)}'"
            )
    for part in parts:
        _check(part)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(value, names) for value in values)
        case ast.BoolOp(values=values):
            return any(_value(value, names) for value in values)
        case ast.UnaryOp(operand=operand):
            return not _value(operand, names)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            sides = [_value(side, names) for side in (left, *comparators)]
            return all(_compared(op, a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False))
        case ast.Attribute(value=ast.Name(id=group), attr=name):
            value = names[group].get(name, 0 if group == "seen" else None)
            return int(value) if isinstance(value, str) and value.isdecimal() else value
        case ast.List(elts=values) | ast.Tuple(elts=values):
            return [_value(value, names) for value in values]
        case ast.Constant(value=constant):
            return constant
        case ast.Name(id=name):
            return names[name]
    raise ConditionError(ast.unparse(node))


def _compared(op: ast.cmpop, left: Any, right: Any) -> bool:
    try:
        return _COMPARE[type(op)](left, right)
    except TypeError:
        # A slot that is not filled yet is neither more nor less than a number.
        return False
