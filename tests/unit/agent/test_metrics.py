"""The phases of a turn in the names of the API."""

import threading

import pytest

from agent.metrics import TurnMarks, thread_cpu_s

pytestmark = pytest.mark.unit


def test_a_turn_without_marks_has_no_figures():
    assert set(TurnMarks().to_wire().values()) == {None}


def test_phases_are_differences_in_whole_milliseconds():
    marks = TurnMarks(
        speech_ended_s=10.0, committed_s=10.2504, stt_ms=31.4, brain_asked_s=10.1, first_text_s=10.15,
        voice_asked_s=10.16, first_sound_s=10.2, first_played_s=10.4, first_frame_s=10.4404, interrupt_ms=0.0,
    )  # fmt: skip
    assert marks.to_wire() == {
        "endpoint_ms": 250, "stt_ms": 31, "ttft_ms": 50, "ttfb_ms": 40, "ttfa_ms": 400, "ttff_ms": 440,
        "voice_to_voice_ms": 400, "interrupt_ms": 0,
    }  # fmt: skip


def test_a_missing_end_leaves_its_phase_out_only():
    wire = TurnMarks(speech_ended_s=1.0, committed_s=1.1, brain_asked_s=1.1).to_wire()
    assert wire["endpoint_ms"] == 100 and wire["ttft_ms"] is None and wire["ttfa_ms"] is None


def test_processor_time_is_told_by_kind_of_thread():
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="render_0")
    thread.start()
    try:
        seconds = thread_cpu_s()
    finally:
        done.set()
        thread.join()
    if not seconds:
        pytest.skip("this system has no /proc")
    assert {"MainThread", "render"} <= seconds.keys() and min(seconds.values()) >= 0
