"""Which of many example sentences a sentence means: words, pieces of words and word sets compared.

0.65 x cosine of tf-idf over words, word pairs and 3-4-letter pieces + 0.35 x letter-by-letter likeness.
Pieces survive what a recogniser garbles ("budge it"), idf lets the rare words decide. A word the script never
uses weighs most of all, so that "why is the sky blue" is not taken for "why". The only importer of rapidfuzz.

A token-set ratio, which forgives every extra word, took 10 of 36 strangers where this takes 3 (125 sentences
against 55 intents); with a dozen intents the two were alike.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz

TFIDF_SHARE = 0.65
LIKENESS_SHARE = 0.35
# Weights of the features; ranked on the sentences the matchers were compared with.
WORD_WEIGHT, STOP_WORD_WEIGHT, PAIR_WEIGHT, PIECE_WEIGHT = 1.5, 0.35, 0.7, 0.35
STOP_WORDS = frozenset(
    "a an the is are was were am be been do does did to of for in on at it this that these those there you i we me my "
    "your our us and or so can could would will shall should may might please just have has had if with about".split()
)
FILLERS = frozenset("um uh uhm er erm hmm mm well like actually basically oh ah hey okay ok".split())
CONTRACTIONS = {
    "what's": "what is", "who's": "who is", "where's": "where is", "how's": "how is", "that's": "that is",
    "it's": "it is", "there's": "there is", "let's": "let us", "here's": "here is", "when's": "when is",
    "i'm": "i am", "can't": "can not", "won't": "will not", "cannot": "can not", "gonna": "going to",
    "wanna": "want to", "gotta": "got to", "gimme": "give me", "lemme": "let me", "dunno": "do not know",
}  # fmt: skip
# "g p u" is one word; "a" and "i" may be words of their own, so they only join what is known.
_SPELLED = re.compile(r"\b(?:a p i|a i|[b-hj-z](?: [b-z])+)\b")
SUFFIXES = {"n't": " not", "'re": " are", "'ve": " have", "'ll": " will", "'d": " would"}


@dataclass(frozen=True, slots=True)
class Match:
    """The best example of a key."""

    key: str
    score: float
    """0..1."""
    example: str


class Normaliser:
    """Makes sentences comparable: case, accents, contractions, fillers, and names as they are misheard."""

    def __init__(self, heard: Mapping[str, Iterable[str]] | None = None) -> None:
        """`heard` maps a name to the ways a recogniser writes it."""
        spellings = [(plain(spelling), plain(name)) for name, many in (heard or {}).items() for spelling in many]
        # Longest first, so that "vee za vee" wins over "vee".
        self._spellings = sorted(((s, n) for s, n in spellings if s and s != n), key=lambda pair: -len(pair[0]))

    def __call__(self, text: str) -> str:
        padded = f" {plain(text)} "
        for spelling, name in self._spellings:
            padded = padded.replace(f" {spelling} ", f" {name} ")
        words = padded.split()
        kept = [word for word in words if word not in FILLERS]
        # "hey" alone is a greeting and no filler.
        return " ".join(kept or words)


def plain(text: str) -> str:
    """Lower case words with single spaces: no accents, no contractions, no punctuation."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    words = re.sub(r"[^\w' ]|_", " ", "".join(c for c in folded if not unicodedata.combining(c))).split()
    return _SPELLED.sub(_joined, " ".join(_expanded(word) for word in words).replace("'", "").strip())


def _joined(letters: re.Match[str]) -> str:
    return letters[0].replace(" ", "")


def _expanded(word: str) -> str:
    if word in CONTRACTIONS:
        return CONTRACTIONS[word]
    for suffix, full in SUFFIXES.items():
        if word.endswith(suffix):
            return word[: -len(suffix)] + full
    return word.removesuffix("'s") if word.endswith("'s") else word


def closeness(first: str, second: str) -> float:
    """How alike two texts are letter by letter, 0..1."""
    return float(fuzz.ratio(first, second)) / 100


class Matcher:
    """Examples of many keys, indexed once."""

    def __init__(self, examples: Iterable[tuple[str, str]], normalise: Normaliser) -> None:
        """`examples`: (key, sentence) pairs."""
        self._normalise = normalise
        pairs = [(key, example, normalise(example)) for key, example in examples]
        self._examples = [pair for pair in pairs if pair[2]]
        self._texts = [text for _, _, text in self._examples]
        counts = [_features(text) for text in self._texts]
        self._df = Counter(feature for count in counts for feature in count)
        self._index: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, count in enumerate(counts):
            for feature, weight in self._unit(count).items():
                self._index[feature].append((number, weight))

    def rank(self, sentence: str) -> list[Match]:
        """Every key by its best example, best first; equal scores keep the order of the examples."""
        query = self._normalise(sentence)
        if not self._texts or not query:
            return []
        cosine = [0.0] * len(self._texts)
        for feature, weight in self._unit(_features(query)).items():
            for number, other in self._index.get(feature, ()):
                cosine[number] += weight * other
        best: dict[str, Match] = {}
        for number, (key, example, text) in enumerate(self._examples):
            score = round(TFIDF_SHARE * cosine[number] + LIKENESS_SHARE * closeness(query, text), 4)
            if key not in best or score > best[key].score:
                best[key] = Match(key, score, example)
        return sorted(best.values(), key=lambda match: -match.score)

    def _unit(self, counts: Mapping[str, float]) -> dict[str, float]:
        weights = {feature: count * self._idf(feature) for feature, count in counts.items()}
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {feature: weight / norm for feature, weight in weights.items()}

    def _idf(self, feature: str) -> float:
        return math.log(1 + len(self._texts) / (self._df.get(feature, 0) + 0.5))


def _features(text: str) -> dict[str, float]:
    words = text.split()
    features: dict[str, float] = defaultdict(float)
    for word in words:
        features[f"w:{word}"] += STOP_WORD_WEIGHT if word in STOP_WORDS else WORD_WEIGHT
    for first, second in zip(words, words[1:], strict=False):
        features[f"b:{first}_{second}"] += PAIR_WEIGHT
    padded = f" {text} "
    for size in (3, 4):
        for start in range(len(padded) - size + 1):
            features[f"c:{padded[start : start + size]}"] += PIECE_WEIGHT
    return features
