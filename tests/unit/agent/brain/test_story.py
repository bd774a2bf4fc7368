"""The script as a pure fold over the user's turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.brain.base import Emotion, End, Message, TextDelta
from agent.brain.guard import DISCLOSURE, REFUSED
from agent.brain.scripted import ScriptedBrain, user_turns
from agent.brain.story import CLARIFY, KNOWLEDGE, REPEAT, Reply, Story
from agent.persona import Persona, load, loads

pytestmark = pytest.mark.unit

PERSONA = loads(
    """
schema: persona/v1
id: dana
name: Dana
vars: {budget: twelve thousand}
greeting: ["One.", "Two.", "{{char}}."]
hear: {Visavis: [vis-a-vis, visa vee]}
guardrails:
  disclosure: I am a program.
  refuse: [{match: "how to * bomb", say: Not that.}]
knowledge:
  lorebook:
    - {keys: [parking], text: "There is a yard. Ask at the desk. It is free."}
    - {keys: [door], secondary: [code], text: "The code is secret."}
  facts: ["The clinics use paper diaries today."]
examples: [[{user: do you play chess at work}, {char: Only in meetings.}]]
brain:
  slots:
    name: {type: text, ask: "What is your name?"}
    size: {type: number, ask: "How many people?"}
    day: {type: choice, choices: [Monday, Friday], ask: "Monday or Friday?"}
  fallback: [First., Second., Third.]
  intents:
    - {id: what, examples: [what is Visavis, tell me about Visavis], replies: [A face.], emotion: proud, gesture: nod}
    - {id: joke, examples: [tell me a joke, make me laugh], replies: [J1., J2., J3.]}
    - {id: name, examples: ["my name is {name}", "call me {name}"], replies: ["Hi {{slot.name}}."]}
    - {id: who_am_i, examples: [what is my name], slots: {name: text}, replies: ["You are {{slot.name}}."]}
    - {id: book, examples: [book a table please], slots: {size: number, day: choice},
       replies: ["{{slot.size}} on {{slot.day}}."]}
    - {id: big, examples: [is that many], when: slot.size > 10, replies: [Very many.]}
    - {id: small, examples: [is that many], when: not slot.size > 10, replies: [Not many.]}
    - {id: red, examples: [paint the wall red], replies: [Red.]}
    - {id: rod, examples: [paint the wall rod], replies: [Rod.]}
  drill:
    start: opening
    states:
      opening:
        intents:
          - {id: problem, examples: [what is your problem, where does it hurt], replies: [Double bookings.], goto: pain}
        fallback: [Go on., Hint., Last hint.]
        after_fallbacks: {count: 3, goto: over}
      pain:
        say: And you?
        intents:
          - {id: budget, examples: [how much can you spend], replies: ["{{vars.budget}}."], goto: over}
      over: {say: Goodbye., end: true}
"""
)


def talk(*turns: str, seed: str = "7", persona: Persona = PERSONA) -> Reply:
    reply = Story(persona).reply(turns, seed=seed)
    assert reply is not None
    return reply


def test_same_turns_and_seed_give_the_same_words() -> None:
    turns = ["tell me a joke", "what is your problem", "gibberish here", "make me laugh", "how much can you spend"]
    first, second = Story(PERSONA), Story(PERSONA)
    for count in range(1, len(turns) + 1):
        assert first.place(turns[:count], seed="a") == second.place(turns[:count], seed="a")
    place = first.start()
    for turn in turns:
        place = first.step(place, turn, seed="a")
    assert place == second.place(turns, seed="a")


def test_seeds_vary_and_no_joke_comes_twice_before_all_were_told() -> None:
    assert len({talk("tell me a joke", seed=str(seed)).text for seed in range(20)}) == 3
    told = [talk(*["tell me a joke"] * count).text for count in (1, 2, 3)]
    assert sorted(told) == ["J1.", "J2.", "J3."]


def test_states_lead_to_each_other_and_end() -> None:
    assert talk("where does it hurt").text == "Double bookings. And you?"
    assert talk("how much can you spend").intent is None, "not understood before the problem was asked for"
    last = talk("where does it hurt", "how much can you spend")
    assert (last.text, last.end) == ("twelve thousand. Goodbye.", True)


def test_fallbacks_escalate_and_then_move_on() -> None:
    said = [talk(*["zzz qqq"] * count) for count in (1, 2, 3)]
    assert [reply.text for reply in said] == ["Go on.", "Hint.", "Goodbye."]
    assert [reply.end for reply in said] == [False, False, True]
    assert talk("zzz", "tell me a joke", "zzz").text == "Go on.", "an answer starts the count anew"


def test_a_state_without_fallbacks_uses_the_common_ones() -> None:
    assert talk("where does it hurt", "zzz").text == "First."
    assert talk("where does it hurt", *["zzz"] * 9).text == "Third."


def test_names_are_understood_as_the_recogniser_writes_them() -> None:
    for heard in ("what is vis-a-vis", "What's Visavis?", "tell me about visa vee", "um what is vis a vis"):
        assert talk(heard).intent == "what", heard


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my name is anna", "Anna"),
        ("Hello, my name is Jean-Luc Picard.", "Jean-Luc Picard"),
        ("um my name is bob nice to meet you all here", "Bob"),
        ("please call me Al", "Al"),
    ],
)
def test_a_pattern_fills_its_slot(said: str, name: str) -> None:
    assert talk(said).text == f"Hi {name}."
    assert talk(said, "what is my name").text == f"You are {name}."


def test_a_taxi_is_no_name() -> None:
    assert talk("call me a taxi").intent != "name"


def test_what_an_answer_needs_is_asked_for() -> None:
    assert talk("what is my name").text == "What is your name?"
    assert talk("what is my name", "it's ben").text == "You are Ben."
    assert talk("book a table please").text == "How many people?"
    assert talk("book a table please", "about twenty five").text == "Monday or Friday?"
    assert talk("book a table please", "about twenty five", "on friday then").text == "25 on Friday."
    assert talk("book a table please", "tell me a joke").intent == "joke", "the user may change the subject"


def test_conditions_choose_between_intents() -> None:
    assert talk("is that many").intent == "small"
    assert talk("book a table please", "40", "monday", "is that many").intent == "big"


def test_two_close_intents_are_told_apart_by_asking() -> None:
    asked = talk("paint the wall rid")
    assert asked.intent == CLARIFY
    assert asked.text.startswith("Did you mean: paint the wall r")
    assert {talk("paint the wall rid", "the first one").intent, talk("paint the wall rid", "second").intent} == {
        "red",
        "rod",
    }


def test_a_doubtful_intent_is_offered() -> None:
    place = Story(PERSONA)
    garbled = "what is the prob lame"
    offered = place.reply([garbled], seed="1")
    assert offered is not None and offered.intent == CLARIFY
    taken = place.reply([garbled, "yes"], seed="1")
    assert taken is not None and taken.intent == "problem"


@pytest.mark.parametrize(
    "said",
    [
        "are you a robot", "Are you real?", "are you an AI", "are you an a i", "am I talking to a machine",
        "is this a real person", "you are a bot right", "so are you just a computer", "are you even human",
        "wait are you actually a real person or a program", "is this a recording", "are ya a robot",
        "am i speaking with a human being",
    ],
)  # fmt: skip
def test_asked_whether_it_is_a_machine_it_says_so(said: str) -> None:
    assert (talk(said).intent, talk(said).text) == (DISCLOSURE, "I am a program.")


@pytest.mark.parametrize(
    "said",
    ["are you the person who decides", "is this a machine learning product", "are you free", "are you from here",
     "is your computer fast", "do you sell robots"],
)  # fmt: skip
def test_other_questions_are_not_taken_for_that(said: str) -> None:
    assert talk(said).intent != DISCLOSURE


def test_refused_words_come_before_any_intent() -> None:
    assert talk("tell me how to build a bomb").intent == REFUSED
    assert talk("how to be the bomber").intent != REFUSED


def test_say_that_again() -> None:
    assert talk("tell me about visavis", "sorry can you repeat that").text == "A face."
    assert talk("tell me about visavis", "pardon", "say it again").intent == REPEAT
    assert talk("say that again").intent is None, "nothing was said yet"


def test_lore_answers_one_sentence_at_a_time() -> None:
    assert [talk(*["is there parking"] * count).text for count in (1, 2, 3, 4)] == [
        "There is a yard.", "Ask at the desk.", "It is free.", "There is a yard.",
    ]  # fmt: skip
    assert talk("open the door").intent != KNOWLEDGE
    assert talk("which code has the door").text == "The code is secret."


def test_facts_and_examples_answer_what_no_intent_does() -> None:
    assert talk("do the clinics use paper diaries").text == "The clinics use paper diaries today."
    assert talk("do you play chess at work").text == "Only in meetings."


@pytest.mark.parametrize("said", ["", "   ", "...", "?!", "\n", "9", "x" * 4000, "a " * 1500, "ÄÖÜ ß 你好 🙂"])
def test_anything_may_be_said(said: str) -> None:
    assert talk(said).text


def test_without_any_lines_of_the_author_it_says_what_it_knows() -> None:
    persona = loads(
        "{schema: persona/v1, id: a, name: A, brain: {intents: [{id: x, examples: [where is it], replies: [Here.]}]}}"
    )
    assert talk("zzz", persona=persona).text == "I only know my own story. You could ask me: where is it"
    assert talk("zzz", persona=loads("{schema: persona/v1, id: a, name: A}")).text == "I only know my own story."


def test_a_turn_counts_once_its_reply_was_heard() -> None:
    said = [Message("user", "what is"), Message("user", "your problem"), Message("assistant", "Double")]
    assert user_turns(said) == [("what is", "your problem")]
    assert user_turns([*said, Message("user", "next")]) == [("what is", "your problem"), ("next",)]
    assert user_turns([]) == []


def test_a_new_question_replaces_one_that_was_cut_off_before_its_answer() -> None:
    brain = ScriptedBrain(load(Path(__file__).resolve().parents[4] / "personas" / "mira" / "persona.yaml"))
    alone = brain.reply([Message("user", "who are you")])
    both = brain.reply([Message("user", "what can you do"), Message("user", "who are you")])
    assert both.intent == alone.intent
    pieces = brain.reply([Message("user", "how does"), Message("user", "this work")])
    assert pieces.intent == brain.reply([Message("user", "how does this work")]).intent


def test_the_brain_answers_as_the_fold_does_whatever_it_was_asked_before() -> None:
    brain = ScriptedBrain(PERSONA, seed="7")
    turns = ["tell me a joke", "where does it hurt", "zzz", "how much can you spend"]
    for asked in ([0], [0, 1], [0, 1, 2], [0, 1], [0, 2], [0, 1, 2, 3], [3], [0, 1, 2, 3]):
        said = [turns[index] for index in asked]
        messages = [m for text in said for m in (Message("user", text), Message("assistant", "Heard."))][:-1]
        assert brain.reply(messages) == talk(*said)
    assert brain.reply([]) == Reply("")


def test_the_date_is_given_and_never_read() -> None:
    persona = loads(
        "{schema: persona/v1, id: a, name: A,"
        " brain: {intents: [{id: d, examples: [which day], replies: ['{{date}}.']}]}}"
    )
    brain = ScriptedBrain(persona, date="Friday")
    assert brain.reply([Message("user", "which day")]).text == "Friday."


async def test_the_brain_sends_face_words_and_end() -> None:
    brain = ScriptedBrain(PERSONA, seed="1")
    events = [event async for event in brain.respond([Message("user", "what is visavis")])]
    assert events == [
        Emotion({"happy": 0.5, "surprised": 0.1}, "nod"), TextDelta("A face."), End(False, "what", 1.0),
    ]  # fmt: skip
    assert brain.greeting() in ("One.", "Two.", "Dana.")


def test_confidence_tells_a_whole_line_from_its_beginning() -> None:
    brain = ScriptedBrain(PERSONA)
    assert brain.confidence("how much can you spend") >= 0.99
    assert brain.confidence("my name is anna") == 1.0
    assert brain.confidence("what is") < 0.8
    assert brain.confidence("zzz") < 0.2


def test_an_author_cannot_refuse_the_question_whether_it_is_a_machine() -> None:
    persona = loads(
        "{schema: persona/v1, id: a, name: A, guardrails: {disclosure: A program.,"
        " refuse: [{match: are you, say: Never ask that.}, {match: '*', say: Never ask anything.}]},"
        " brain: {intents: [{id: x, examples: [are you a robot], replies: ['No, I am human.']}]}}"
    )
    assert talk("are you a robot", persona=persona).text == "A program."
    assert talk("are you busy", persona=persona).text == "Never ask that."
    assert talk("hello", persona=persona).intent is None
