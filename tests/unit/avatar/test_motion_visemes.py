"""Phones of three alphabets and the order of the coefficients."""

import pytest

from avatar.media import NUM_BLENDSHAPES
from avatar.motion.blendshapes import ARKIT_NAMES, INDEX, columns, to_weights, with_gaze
from avatar.motion.coarticulation import TARGETS
from avatar.motion.visemes import CMU, ESPEAK, IPA, OCULUS_VISEMES, is_stressed, to_mouths

pytestmark = pytest.mark.unit


def test_coefficients_are_the_52_of_the_wire_in_order():
    assert len(ARKIT_NAMES) == NUM_BLENDSHAPES == len(set(ARKIT_NAMES))
    assert list(ARKIT_NAMES[:-1]) == sorted(ARKIT_NAMES[:-1])
    assert (ARKIT_NAMES[0], ARKIT_NAMES[24], ARKIT_NAMES[51]) == ("browDownLeft", "jawOpen", "tongueOut")
    assert INDEX["mouthClose"] == 26


def test_a_name_without_side_means_both():
    assert columns("mouthSmile") == (INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"])
    assert to_weights({"eyeBlink": 0.5}).sum() == pytest.approx(1.0)
    with pytest.raises(KeyError):
        columns("noSuchShape")


def test_gaze_becomes_look_weights_for_both_eyes():
    weights = with_gaze(to_weights({}), 0.5, -0.25)
    assert weights[INDEX["eyeLookOutLeft"]] == weights[INDEX["eyeLookInRight"]] == 0.5
    assert weights[INDEX["eyeLookDownLeft"]] == 0.25
    assert weights[INDEX["eyeLookInLeft"]] == weights[INDEX["eyeLookUpRight"]] == 0.0


@pytest.mark.parametrize("table", [ESPEAK, CMU, IPA])
def test_tables_name_only_classes_that_have_targets(table):
    assert {mouth for mouths in table.values() for mouth in mouths} <= set(TARGETS)
    assert set(OCULUS_VISEMES) <= set(TARGETS)


@pytest.mark.parametrize(
    ("alphabet", "phones", "mouths"),
    [
        ("espeak", "h @ l oU", [(), ("aa",), ("nn",), ("O", "U")]),
        ("espeak", "'eI tS ,aI 3:", [("E", "I"), ("CH",), ("aa", "I"), ("ER",)]),
        ("espeak", "_: p; ?", [("sil",), ("PP",), ()]),
        ("cmu", "pau hh ax l OW1 th", [("sil",), (), ("aa",), ("nn",), ("O", "U"), ("TH",)]),
        ("cmu", "SIL AH0 dx axr", [("sil",), ("aa",), ("DD",), ("ER",)]),
        ("ipa", "ˈaɪ tʃ b ɪː ð", [("aa", "I"), ("CH",), ("PP",), ("I",), ("TH",)]),
        ("ipa", "oʊ ɚ n̩ ɡ", [("O", "U"), ("ER",), ("nn",), ("kk",)]),
    ],
)
def test_phones(alphabet, phones, mouths):
    assert [to_mouths(p, alphabet) for p in phones.split()] == mouths


@pytest.mark.parametrize("alphabet", ["espeak", "cmu", "ipa"])
def test_nothing_is_silence_and_the_unknown_falls_to_its_kind(alphabet):
    assert to_mouths("", alphabet) == to_mouths("_", alphabet) == ("sil",)
    assert to_mouths("pXX7", alphabet)[0] == "PP"
    for odd in ("\u0001", "💬", "'''", "Ꞩ", "5"):
        assert all(mouth in TARGETS for mouth in to_mouths(odd, alphabet))


def test_stress():
    assert is_stressed("'eI", "espeak") and is_stressed("ˈa", "ipa") and is_stressed("OW1", "cmu")
    assert not (is_stressed("@", "espeak") or is_stressed("ə", "ipa") or is_stressed("OW0", "cmu"))
