/** What was said, as lines: a pure fold over the server's events. What was heard is the truth. */

import { Emitter } from "./emitter.js";
import type { ServerEvent, TranscriptLine } from "./wire.js";

export interface Line {
  readonly key: string;
  readonly role: "user" | "agent" | "note";
  text: string;
  /** Words of the agent that were to come when the user took the floor. */
  unheard: string;
  isCut: boolean;
  /** More words may come, or the server has not confirmed it. */
  isLive: boolean;
  hasFailed: boolean;
}

interface TranscriptEvents {
  change: Line;
  remove: Line;
  /** A line is complete: the moment to read it to those who do not see it. */
  done: Line;
}

export class Transcript extends Emitter<TranscriptEvents> {
  #lines = new Map<string, Line>();
  #notes = 0;

  get lines(): readonly Line[] {
    return [...this.#lines.values()];
  }

  clear(): void {
    for (const line of this.lines) this.#remove(line);
  }

  handleTyped(text: string, eventId: string): void {
    this.#update(this.#line(eventId, "user"), { text, isLive: true });
  }

  handleNote(text: string): void {
    const line = this.#line(`note-${++this.#notes}`, "note");
    this.#update(line, { text });
    this.emit("done", line);
  }

  handleServerEvent(event: ServerEvent): void {
    switch (event.type) {
      case "session.resumed":
        return this.#resume(event.transcript);
      case "conversation.item.input_audio_transcription.delta":
        return this.#update(this.#line(event.item_id, "user"), { text: event.delta, isLive: true });
      case "conversation.item.input_audio_transcription.completed":
        return this.#heardUser(event.item_id, event.transcript, event.typed);
      case "response.output_audio_transcript.delta": {
        const line = this.#line(event.response_id, "agent");
        return this.#update(line, { text: joinWords(line.text, event.delta), isLive: true });
      }
      case "response.output_audio_transcript.done":
        return this.#heardAgent(event.response_id, event.transcript, event.unheard);
      case "response.done":
        return this.#answered(event.response_id, event.heard_text, event.error?.message);
      case "warning":
        return this.handleNote(event.message);
      case "error":
        return this.#refused(event.error.message, event.error.event_id);
    }
  }

  /** Nothing more will come. */
  handleEnd(): void {
    for (const line of this.lines) if (line.isLive) this.#update(line, { isLive: false });
  }

  #heardUser(itemId: string, text: string, isTyped: boolean): void {
    const waiting = this.lines.find((line) => line.role === "user" && line.isLive && line.text === text);
    const line = isTyped && waiting ? waiting : this.#line(itemId, "user");
    if (!text.trim()) return this.#remove(line);
    this.#update(line, { text, isLive: false });
    if (!isTyped) this.emit("done", line);
  }

  #heardAgent(responseId: string, heard: string, unheard: string): void {
    const line = this.#line(responseId, "agent");
    if (!heard.trim() && !unheard.trim()) return this.#remove(line);
    this.#update(line, { text: heard, unheard, isCut: unheard.trim() !== "", isLive: false });
    this.emit("done", line);
  }

  #answered(responseId: string, heard: string, fault: string | undefined): void {
    const line = this.#lines.get(responseId);
    if (line?.isLive) this.#update(line, { text: heard || line.text, isLive: false });
    if (fault) this.handleNote(fault);
  }

  #refused(message: string, eventId: string | null | undefined): void {
    const line = eventId ? this.#lines.get(eventId) : undefined;
    if (line) this.#update(line, { hasFailed: true, isLive: false });
    this.handleNote(message);
  }

  /** The server's lines replace ours, which may know more of one that is the same. */
  #resume(lines: readonly TranscriptLine[]): void {
    const known = this.lines.filter((line) => line.role !== "note");
    const isSame = ({ role, text }: TranscriptLine, at: number): boolean =>
      known[at]?.role === role && known[at].text === text;
    const kept = lines.findIndex((line, at) => !isSame(line, at));
    const first = kept === -1 ? lines.length : kept;
    for (const line of known.slice(first)) this.#remove(line);
    for (const [at, { role, text, cut }] of lines.entries()) {
      if (at >= first) this.#update(this.#line(`resumed-${at}-${text.length}`, role), { text, isCut: cut });
    }
  }

  #line(key: string, role: Line["role"]): Line {
    const known = this.#lines.get(key);
    if (known) return known;
    const line = { key, role, text: "", unheard: "", isCut: false, isLive: false, hasFailed: false };
    this.#lines.set(key, line);
    return line;
  }

  #update(line: Line, change: Partial<Line>): void {
    Object.assign(line, change);
    this.emit("change", line);
  }

  #remove(line: Line): void {
    this.#lines.delete(line.key);
    this.emit("remove", line);
  }
}

/** Adds a word with the space that it may or may not bring along. */
export function joinWords(text: string, word: string): string {
  const needsSpace = text !== "" && !/\s$/.test(text) && !/^[\s.,;:!?…)\]’”%]/.test(word);
  return needsSpace ? `${text} ${word}` : text + word;
}
