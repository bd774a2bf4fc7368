/** Where the time of the last answer went. */

import { byId, make } from "./dom.js";
import type { WireReport } from "./peer.js";
import type { TurnMetrics } from "./wire.js";

const PHASES: readonly (readonly [keyof TurnMetrics, string, string])[] = [
  ["endpoint_ms", "End of turn", "from your last sound until it was sure that you had finished"],
  ["stt_ms", "Words (ASR)", "speech recognition: sound into words"],
  ["ttft_ms", "First word (LLM)", "language model: until the first word"],
  ["ttfb_ms", "First sound (TTS)", "speech synthesis: until the first sound"],
  ["ttff_ms", "First frame", "from your last sound until the first picture of the answer"],
];

export class LatencyPanel {
  readonly #body = byId<HTMLTableSectionElement>("latency-rows");
  readonly #totals: number[] = [];

  clear(): void {
    this.#totals.length = 0;
    this.#body.replaceChildren();
    byId("latency-table").hidden = true;
    byId("latency-brief").textContent = "– ms";
    byId("latency-total").textContent = "–";
    byId("latency-note").textContent = "Numbers come with the first answer.";
    byId("latency-wire").textContent = "";
  }

  handleMetrics(metrics: TurnMetrics, turn: number): void {
    byId("latency-table").hidden = false;
    const total = metrics.voice_to_voice_ms ?? metrics.ttfa_ms ?? null;
    const widest = Math.max(1, total ?? 0, ...PHASES.map(([name]) => metrics[name] ?? 0));
    this.#body.replaceChildren(...PHASES.map(([name, label, hint]) => row(label, hint, metrics[name], widest)));
    if (total !== null) this.#totals.push(total);
    if (total !== null) byId("latency-brief").textContent = milliseconds(total);
    byId("latency-total").textContent = milliseconds(total);
    byId("latency-note").textContent = this.#note(metrics, turn);
  }

  /** What this browser sees of the wire, once a second. */
  handleWire({ fps, roundTripMs, lostPackets }: WireReport): void {
    const parts = [
      fps === null ? "" : `${Math.round(fps)} pictures a second`,
      roundTripMs === null ? "" : `${milliseconds(roundTripMs)} round trip`,
      `${lostPackets} packets lost`,
    ];
    byId("latency-wire").textContent = parts.filter(Boolean).join(", ");
  }

  #note(metrics: TurnMetrics, turn: number): string {
    const parts = turn > 0 ? [`Turn ${turn}`] : [];
    const sorted = [...this.#totals].sort((a, b) => a - b);
    const middle = sorted[Math.floor((sorted.length - 1) / 2)];
    if (sorted.length > 1 && middle !== undefined) {
      parts.push(`median of ${sorted.length} answers ${milliseconds(middle)}`);
    }
    if (typeof metrics.interrupt_ms === "number") parts.push(`went silent in ${milliseconds(metrics.interrupt_ms)}`);
    return parts.join(", ");
  }
}

function row(label: string, hint: string, value: number | null | undefined, widest: number): HTMLTableRowElement {
  const element = make("tr", "");
  const name = make("th", "", label);
  name.scope = "row";
  name.title = hint;
  const bar = make("span", "share");
  bar.style.setProperty("--share", String((value ?? 0) / widest));
  const track = make("td", "track");
  track.setAttribute("aria-hidden", "true");
  track.append(bar);
  element.append(name, track, make("td", "number", milliseconds(value)));
  return element;
}

function milliseconds(value: number | null | undefined): string {
  return typeof value === "number" ? `${Math.round(value)} ms` : "–";
}
