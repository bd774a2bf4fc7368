/** Draws the transcript: one list item a line, only the changed line touched. */

import { byId, make } from "./dom.js";
import type { Line, Transcript } from "./transcript.js";

// Nearer to the end than this counts as reading along.
const FOLLOW_PX = 60;

export class Captions {
  readonly #list = byId<HTMLOListElement>("captions");
  readonly #scroller = byId("captions-scroll");
  readonly #announcer = byId("announcer");
  readonly #items = new Map<string, HTMLLIElement>();
  #agentName = "";
  #isFollowing = true;

  constructor(transcript: Transcript) {
    transcript.on("change", (line) => this.#draw(line));
    transcript.on("remove", (line) => this.#remove(line));
    transcript.on("done", (line) => this.announce(this.#spoken(line)));
    // A panel that opens below takes room: whoever reads along keeps the last line in sight.
    this.#scroller.addEventListener("scroll", () => (this.#isFollowing = this.#leftPx() < FOLLOW_PX));
    new ResizeObserver(() => this.#follow(() => undefined)).observe(this.#scroller);
  }

  handlePersona(name: string, language: string): void {
    this.#agentName = name;
    this.#list.lang = language;
  }

  /** Shows that an answer is being thought of. */
  handleThinking(isThinking: boolean): void {
    this.#follow(() => byId("thinking").toggleAttribute("hidden", !isThinking));
  }

  /** Says a sentence to screen readers only. */
  announce(text: string): void {
    this.#announcer.textContent = text;
  }

  #draw(line: Line): void {
    this.#follow(() => {
      const item = this.#items.get(line.key) ?? this.#add(line);
      item.classList.toggle("live", line.isLive);
      item.classList.toggle("failed", line.hasFailed);
      const words = make("p", "words", line.text);
      if (line.isCut) words.append(...this.#cutOff(line));
      if (line.hasFailed) words.append(" ", make("span", "tag", "not sent"));
      item.querySelector(".words")?.replaceWith(words);
    });
  }

  #add(line: Line): HTMLLIElement {
    const item = make("li", `line ${line.role}`);
    const who = { user: "You", agent: this.#agentName, note: "" }[line.role];
    if (who) item.append(make("span", "who", who));
    item.append(make("p", "words"));
    this.#items.set(line.key, item);
    this.#list.append(item);
    byId("captions-empty").hidden = true;
    return item;
  }

  #cutOff(line: Line): (Node | string)[] {
    const tag = make("span", "tag", "cut off");
    return line.unheard ? [" ", make("s", "unheard", line.unheard), " ", tag] : [" ", tag];
  }

  #remove(line: Line): void {
    this.#items.get(line.key)?.remove();
    this.#items.delete(line.key);
    byId("captions-empty").hidden = this.#items.size > 0;
  }

  #spoken(line: Line): string {
    const who = { user: "You: ", agent: `${this.#agentName}: `, note: "" }[line.role];
    return `${who}${line.text}${line.isCut ? " (cut off)" : ""}`;
  }

  #follow(change: () => void): void {
    change();
    if (this.#isFollowing) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #leftPx(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }
}
