/** Says plainly which engines hear, think and speak, and what that means. */

import { byId, make, makeIcon } from "./dom.js";
import type { Engine, Engines, EngineSlot, EngineState } from "./wire.js";

const ROLES: Record<EngineSlot, { icon: string; does: string }> = {
  stt: { icon: "ear", does: "Hears with" },
  brain: { icon: "mind", does: "Thinks with" },
  tts: { icon: "voice", does: "Speaks with" },
};

const STATES: Record<EngineState, string> = {
  embedded: "built in",
  downloading: "built in for now",
  ready: "ready",
  failed: "failed",
};

export class EnginesPanel {
  readonly #lists = [...document.querySelectorAll<HTMLUListElement>(".engines")];
  #drawn = "";

  /** Takes the news before a call (polled) and in it (events) alike. */
  handleEngines(engines: Engines): void {
    const text = JSON.stringify(engines);
    if (text === this.#drawn) return;
    this.#drawn = text;
    const slots = Object.keys(ROLES) as EngineSlot[];
    for (const list of this.#lists) {
      list.replaceChildren(...slots.flatMap((slot) => this.#row(slot, engines[slot])));
    }
    byId("engines-card").hidden = slots.every((slot) => !engines[slot]);
    byId("engines-brief").textContent = brief(slots.flatMap((slot) => engines[slot] ?? []));
  }

  #row(slot: EngineSlot, engine: Engine | undefined): HTMLLIElement[] {
    if (!engine) return [];
    const row = make("li", `engine ${engine.state}`);
    const head = make("p", "engine-head", `${ROLES[slot].does} `);
    head.append(make("strong", "", engine.name), " ", make("span", "tag", STATES[engine.state]));
    const body = make("div", "engine-body");
    body.append(head);
    if (engine.notice) body.append(make("p", "engine-notice", engine.notice));
    if (engine.state === "downloading") body.append(...this.#download(slot, engine));
    else if (engine.problem) body.append(make("p", "engine-problem", fault(engine.next, engine.problem)));
    else if (engine.next) body.append(make("p", "engine-next", `From the next call: ${engine.next}`));
    row.append(makeIcon(ROLES[slot].icon), body);
    if (engine.why) row.title = engine.why;
    return [row];
  }

  #download(slot: EngineSlot, engine: Engine): HTMLElement[] {
    const what = engine.next ? `Fetching ${engine.next}` : "Fetching a better one";
    const known = typeof engine.percent === "number";
    const text = known ? `${what}: ${Math.floor(engine.percent ?? 0)} %` : `${what}…`;
    const bar = make("progress", "");
    bar.max = 100;
    if (known) bar.value = engine.percent ?? 0;
    bar.setAttribute("aria-label", `${ROLES[slot].does}: ${what}`);
    return [make("p", "engine-next", text), bar];
  }
}

function fault(wanted: string | null | undefined, problem: string): string {
  return wanted ? `${wanted} could not be fetched: ${problem}.` : `${problem}.`;
}

function brief(engines: readonly Engine[]): string {
  const failed = engines.find(({ state }) => state === "failed");
  if (failed) return `${failed.name} failed`;
  const loading = engines.filter(({ state }) => state === "downloading");
  const percents = loading.flatMap(({ percent }) => percent ?? []);
  if (percents.length) return `fetching ${Math.floor(Math.min(...percents))} %`;
  if (loading.length) return "fetching better ones";
  return engines.every(({ state }) => state === "embedded") ? "built in" : "ready";
}
