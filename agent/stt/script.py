"""What a caller of a scripted persona is likely to say, as plain lower-case sentences.

Decides the wording only; how words sound is `pronounce`, how they are searched is the engine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

SHORT_ANSWERS = (
    "yes", "yes please", "yeah", "yep", "sure", "of course", "exactly", "right", "that is right", "no", "no thanks",
    "no thank you", "nope", "not really", "not now", "maybe", "i don't know", "i am not sure", "okay", "ok",
    "all right", "fine", "good", "great", "thanks", "thank you", "thank you very much", "bye", "goodbye", "bye bye",
    "see you later", "hello", "hi", "hey", "good morning", "good evening", "how are you", "i'm fine", "please",
    "sorry", "excuse me", "stop", "stop it", "wait", "wait a moment", "one moment", "go on", "continue", "tell me more",
    "what", "why", "how", "when", "where", "who", "again", "say that again", "repeat that please", "pardon",
    "what did you say", "i don't understand", "help", "help me", "mm hm", "uh huh", "really", "oh", "i see", "wow",
)  # fmt: skip
"""Said in any talk, whatever the script."""

CARRIERS = (
    "can you tell me", "could you tell me", "tell me about", "tell me", "please tell me", "i would like to know",
    "i would like to", "i want to", "i need to", "i need", "i'd like", "do you know", "do you have", "are you",
    "what is", "what's", "what are", "what do you", "what about", "where is", "where are", "when is", "who is",
    "who are you", "how do i", "how do you", "how much is", "how many", "how long", "is there", "is it", "can i",
    "can you", "could you please", "may i", "why do you", "why is", "my name is", "i am", "i have", "i think",
    "let's talk about", "what do you think about", "so", "well", "and", "but", "the", "a", "about", "for me", "please",
)  # fmt: skip
"""How people begin: a little mass for turns of phrase the author did not write."""

TERM_CARRIERS = ("what is", "tell me about", "about")
"""Before a name or term."""

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SYMBOLS = {
    "%": " percent ",
    "&": " and ",
    "+": " plus ",
    "@": " at ",
    "€": " euros ",
    "$": " dollars ",
    "£": " pounds ",
}
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+")
_CLAUSE_END = re.compile(r"[.!?;:\n…]+(?=\s|$)")


def spell_number(number: int) -> str:
    """A number 0..999 999 as English words; larger ones digit by digit."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f" {_ONES[ones]}" if ones else "")
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if size <= number < 1_000_000:
            head, tail = divmod(number, size)
            return f"{spell_number(head)} {name}" + (f" {spell_number(tail)}" if tail else "")
    return " ".join(_ONES[int(digit)] for digit in str(number))


def spoken_words(text: str) -> list[str]:
    """The words of a text as a recogniser knows them: lower case, no marks, numbers spelled out."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    folded = "".join(c for c in folded if not unicodedata.combining(c))
    for mark, words in _SYMBOLS.items():
        folded = folded.replace(mark, words)
    spoken: list[str] = []
    for token in _TOKEN.findall(folded):
        spoken += spell_number(int(token)).split() if token.isdigit() else [token]
    return spoken


def sentences(text: str) -> list[list[str]]:
    """The sentences of a text, each as spoken words; empty ones are left out."""
    return [words for part in _CLAUSE_END.split(text) if (words := spoken_words(part))]


def corpus(script: Sequence[str], words: Iterable[str], *, weight: int = 3) -> list[list[str]]:
    """All sentences a language model learns from.

    Args:
        script: what the persona's author expects to be said, likeliest first.
        words: names and terms to favour; each is learnt alone and after a few beginnings.
        weight: how many times the first lines of the script count against a general one; the weight
            falls along the script to 1, since its end lends words rather than sentences.
    """
    lines: list[list[str]] = []
    for place, text in enumerate(script):
        lines += sentences(text) * (weight - weight * place // len(script))
    terms = [spoken for term in words if (spoken := spoken_words(term))]
    general = [text.split() for text in (*SHORT_ANSWERS, *CARRIERS)]
    framed = [beginning.split() + term for term in terms for beginning in TERM_CARRIERS]
    return lines + terms + framed + general
