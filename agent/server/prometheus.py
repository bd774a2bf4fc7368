"""The server's numbers for Prometheus, read at the moment they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..metrics import TurnMarks
from ..session import Session
from .calls import CallBook

SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 5.0)


class CallMeters(Collector):
    """One registry per server, so that two servers in one process do not mix."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, book: CallBook) -> None:
        self._book = book
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._ttff = Histogram(
            "visavis_ttff_seconds",
            "End of user speech to first frame of the reply",
            buckets=SECONDS,
            registry=self._registry,
        )
        self._dropped = 0
        self._metered_s = 0.0
        book.watchers.append(self._settle)
        book.reply_watchers.append(self._reply_over)

    def expose(self) -> bytes:
        """The exposition text."""
        return bytes(generate_latest(self._registry))

    def collect(self) -> Iterator[Metric]:
        book = self._book
        yield GaugeMetricFamily("visavis_sessions_active", "Calls that live", value=book.num_active)
        yield GaugeMetricFamily(
            "visavis_admission_headroom", "Calls that may still come", value=book.config.max_sessions - book.num_active
        )
        yield GaugeMetricFamily("visavis_tasks", "asyncio tasks that live", value=len(asyncio.all_tasks()))
        yield CounterMetricFamily("visavis_sessions_created", "Calls made", value=book.num_created)
        ended = CounterMetricFamily("visavis_sessions_ended", "Calls over", labels=["reason"])
        for reason, count in book.num_ended.items():
            ended.add_metric([reason], count)
        yield ended
        living = book.sessions
        yield CounterMetricFamily(
            "visavis_frames_dropped", "Pictures that came too late", value=self._dropped + sum(map(_dropped, living))
        )
        yield CounterMetricFamily(
            "visavis_metered_seconds", "Seconds of active calls", value=self._metered_s + sum(s.seconds for s in living)
        )

    def _reply_over(self, marks: TurnMarks) -> None:
        if marks.speech_ended_s is not None and marks.first_frame_s is not None:
            self._ttff.observe(marks.first_frame_s - marks.speech_ended_s)

    def _settle(self, session: Session) -> None:
        self._dropped += _dropped(session)
        self._metered_s += session.seconds


def _dropped(session: Session) -> int:
    return int(session.metrics().get("media", {}).get("dropped_slow_encoder", 0))
