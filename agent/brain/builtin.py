"""What every persona understands, whatever its script says: "are you a machine?", "say that again", yes and no."""

from __future__ import annotations

import re

from .matcher import closeness, plain

_KIND = (
    r"(?:robot|bot|chatbot|chat bot|machine|computer|a i|ai|artificial|artificial intelligence|program|recording|"
    r"human|human being|real|real person|real human|actual person|living person|person|real woman|real man|"
    r"simulation|alive)"
)
_HEDGE = r"(?:just|only|really|actually|even|some kind of|a kind of|like|maybe|still|secretly)"
# Asked of the persona itself and at the end of the question: "are you the person who decides" is another one.
_DISCLOSURE = re.compile(
    rf"\b(?:(?:are|were) you|(?:you are|you must be)|(?:is|was) (?:this|that|it)|"
    rf"(?:am|are) (?:i|we) (?:talking|speaking|chatting) (?:to|with))"
    rf"(?: {_HEDGE})*(?: (?:a|an|the))? {_KIND}(?: or .*| right| though| anyway| then| by the way| here)?$"
)
_DISCLOSURE_LINES = (
    "are you a robot", "are you human", "are you real", "are you a real person", "are you an ai", "are you a machine",
    "am i talking to a machine", "am i talking to a real person", "is this a recording", "are you a computer",
    "are you a chatbot", "do you really exist", "is there a human there", "is anybody real there",
    "are you artificial intelligence", "who am i really talking to a person or a machine",
)  # fmt: skip
_REPEAT = re.compile(
    r"^(?:(?:sorry|pardon|excuse me|please) )*"
    r"(?:(?:can|could|would|will) you )?(?:please )?"
    r"(?:repeat(?: that| it| this)?|say (?:that|it) again|(?:what|come) (?:did you say|was that|again)|pardon(?: me)?|"
    r"i (?:did not|could not) (?:hear|catch|get) (?:that|you|it|this)|once (?:more|again)|one more time)"
    r"(?: please| again| once more| one more time)*$"
)
_YES = re.compile(
    r"^(?:yes|yeah|yep|yup|sure|right|correct|exactly|that one|that is right|yes please|please do|i do)\b"
)
_NO = re.compile(r"^(?:no|nope|not really|neither|none|wrong)\b")
_FIRST = re.compile(r"\b(?:first|former|number one|one)\b")
_SECOND = re.compile(r"\b(?:second|latter|last|number two|two|other)\b")
# Nearer than this, a garbled question is still the same question.
SAME_QUESTION = 0.88


def asks_if_machine(text: str) -> bool:
    """Whether the user asks the persona whether it is a machine, a recording or a person."""
    said = plain(text)
    if not said:
        return False
    return bool(_DISCLOSURE.search(said)) or any(closeness(said, line) >= SAME_QUESTION for line in _DISCLOSURE_LINES)


def asks_to_repeat(text: str) -> bool:
    """Whether the user wants the last answer again."""
    return bool(_REPEAT.match(plain(text)))


def chosen(text: str, count: int) -> int | None:
    """Which of `count` offered things the user took: index, -1 for none of them, None when it is no such answer."""
    said = plain(text)
    if len(said.split()) > 6:
        return None
    if _NO.match(said):
        return -1
    if count == 1:
        return 0 if _YES.match(said) else None
    if _SECOND.search(said):
        return 1
    if _FIRST.search(said):
        return 0
    return None
