"""Everybody can use it: keys, screen readers, small and sideways phones, calm motion; and its pure parts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from agent import events

from .conftest import CallPage
from .page_stub import PageStub

pytestmark = pytest.mark.e2e

OpenPage = Callable[..., CallPage]

NAMELESS = """() => [...document.querySelectorAll("button, select, textarea, input, [role=img], video")]
  .filter((element) => element.checkVisibility() && !element.textContent.trim() && !element.ariaLabel
    && !element.labels?.length)
  .map((element) => element.outerHTML)"""
TARGETS = """() => [...document.querySelectorAll("button, select, textarea, label.persona")]
  .filter((element) => element.checkVisibility() && !element.matches(".insight-toggle"))
  .map((element) => [element.id || element.className, element.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44 || box.left < 0 || box.right > innerWidth)
  .map(([name, box]) => `${name} ${box.width}x${box.height} at ${box.left}`)"""


@pytest.mark.parametrize("key", ["Enter", " "])
def test_keys_call_mute_and_hang_up(open_page: OpenPage, key: str) -> None:
    call_page = open_page().open()
    page = call_page.page
    page.keyboard.press(key)
    call_page.until("connected")
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    call_page.until("ended")
    expect(page.get_by_role("button", name="Call again")).to_be_focused()
    page.keyboard.press(key)
    call_page.until("connected")


def test_keys_are_letters_while_typing(open_page: OpenPage) -> None:
    call_page = open_page().open().call()
    page = call_page.page
    field = page.get_by_role("textbox", name="Message")
    field.focus()
    page.keyboard.type("mm m")
    expect(field).to_have_value("mm m")
    expect(page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    page.keyboard.press("Shift+Enter")
    expect(field).to_have_value("mm m\n")
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    assert call_page.state == "connected", "Esc left the field, not the call"


def test_whole_call_by_keyboard(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open()
    page = call_page.page
    page.get_by_role("radio", name="Mira").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    call_page.until("connected")
    assert stub.seen.sessions == [{"persona": {"id": "dana-buyer"}}]
    reached = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"mute", "open-devices", "hang-up", "captions-scroll", "message", "send"} <= reached
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus must be seen"


def test_everything_has_a_name(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open()
    page = call_page.page
    assert page.evaluate(NAMELESS) == []
    call_page.call()
    assert page.evaluate(NAMELESS) == []
    expect(page.get_by_role("log", name="Captions of both sides")).to_be_attached()
    expect(page.get_by_role("heading", level=1, name="visavis")).to_be_visible()
    stub.emit(events.UserTranscriptDelta("item_1", "hel"))
    stub.emit(events.UserTranscriptCompleted("item_1", "Hello", 0.9))
    expect(page.locator("#announcer")).to_have_text("You: Hello")
    assert page.locator("#announcer").get_attribute("aria-live") == "polite"
    assert page.locator("#captions").get_attribute("lang") == "en"


@pytest.mark.parametrize(("width_px", "height_px"), [(360, 640), (390, 844), (844, 390), (1280, 800)])
def test_fits(open_page: OpenPage, stub: PageStub, width_px: int, height_px: int) -> None:
    call_page = open_page(viewport={"width": width_px, "height": height_px}).open()
    page = call_page.page
    wide = "document.documentElement.scrollWidth - innerWidth"
    high = "document.documentElement.scrollHeight - innerHeight"
    assert page.evaluate(wide) <= 0
    assert page.evaluate(TARGETS) == []
    expect(page.locator("#call")).to_be_in_viewport(ratio=1)
    call_page.call()
    for number in range(8):
        stub.emit(events.AgentTranscriptDone(f"res_{number}", "A long answer that needs more than one line.", ""))
    expect(page.locator(".line")).to_have_count(8)
    assert page.evaluate(wide) <= 0
    assert page.evaluate(high) <= 0, "in a call only the captions scroll"
    assert page.evaluate(TARGETS) == []
    for name in ("#video", "#mute", "#hang-up", "#message", "#send", ".line >> nth=-1"):
        expect(page.locator(name)).to_be_in_viewport(ratio=0.9)


def test_calm_motion(open_page: OpenPage, stub: PageStub) -> None:
    page = open_page(reduced_motion="reduce").open().call().page
    stub.emit(events.AvatarState("thinking"))
    expect(page.locator("#thinking")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out(open_page: OpenPage, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    page = open_page(color_scheme=scheme).open().page
    colours = {
        name: page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()")
        for name in ("paper", "card", "tint", "ink", "soft", "green", "on-green")
    }
    pairs = [("ink", "paper"), ("ink", "card"), ("ink", "tint"), ("soft", "paper"), ("soft", "card"), ("soft", "tint")]
    for front, back in [*pairs, ("on-green", "green"), ("green", "card")]:
        assert contrast(colours[front], colours[back]) >= 4.5, (scheme, front, back)


def contrast(front: str, back: str) -> float:
    darker, lighter = sorted((luminance(front), luminance(back)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_backoff_follows_the_schedule(open_page: OpenPage) -> None:
    page = open_page().open().page
    ask = "async (ask) => (await import('/assets/backoff.js')).waitMs(...ask) ?? null"
    waits = [page.evaluate(ask, [attempt, 0, 30_000, 0.5]) for attempt in range(8)]
    assert waits == [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]
    assert page.evaluate(ask, [2, 0, 30_000, 0]) == 800
    assert page.evaluate(ask, [6, 29_000, 30_000, 0.5]) == 1_000, "the last try falls on the limit"
    assert page.evaluate(ask, [7, 30_000, 30_000, 0.5]) is None


def test_words_are_joined(open_page: OpenPage) -> None:
    page = open_page().open().page
    ask = "async (ask) => (await import('/assets/transcript.js')).joinWords(...ask)"
    for text, word, joined in (
        ("", "Hello", "Hello"),
        ("Hello", "there", "Hello there"),
        ("Hello", ",", "Hello,"),
        ("Hello ", "there", "Hello there"),
        ("Hello", " there", "Hello there"),
    ):
        assert page.evaluate(ask, [text, word]) == joined
