/** One notice over the face: what happened, what to do, and the buttons that do it. */

import { byId, make } from "./dom.js";
import type { Problem } from "./problem.js";

export interface NoticeAction {
  label: string;
  act: () => void;
}

export class Notice {
  readonly #box = byId("notice");
  #reason = "";

  /** Reason of the problem that is shown, "" when none is. */
  get reason(): string {
    return this.#reason;
  }

  show({ reason, title, advice }: Pick<Problem, "reason" | "title" | "advice">, actions: NoticeAction[]): void {
    this.#reason = reason;
    const buttons = make("div", "notice-actions");
    for (const [at, { label, act }] of actions.entries()) {
      const button = make("button", at === 0 ? "button primary" : "button", label);
      button.type = "button";
      button.addEventListener("click", act);
      buttons.append(button);
    }
    this.#box.dataset["reason"] = reason;
    this.#box.replaceChildren(make("h3", "", title), make("p", "", advice), buttons);
    this.#box.hidden = false;
  }

  hide(): void {
    this.#reason = "";
    this.#box.hidden = true;
    this.#box.replaceChildren();
  }
}
