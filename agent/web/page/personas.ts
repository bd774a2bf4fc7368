/** The choice of who answers: a group of radio buttons with a picture, a name and one line. */

import type { Door, PersonaCard } from "./door.js";
import { byId, make } from "./dom.js";
import { Emitter } from "./emitter.js";
import { recall, remember } from "./memory.js";

export class PersonaPicker extends Emitter<{ choice: PersonaCard }> {
  readonly #list = byId("personas");
  #personas: readonly PersonaCard[] = [];
  #chosen: PersonaCard | undefined;

  constructor(private readonly door: Door) {
    super();
    this.#list.addEventListener("change", ({ target }) => {
      const persona = this.#personas.find(({ id }) => id === (target as HTMLInputElement).value);
      if (persona) this.#choose(persona);
    });
  }

  /** The list may be of yesterday: the server was away, or does not know the one that was called. */
  isStale = true;

  get chosen(): PersonaCard | undefined {
    return this.#chosen;
  }

  handlePersonas(personas: readonly PersonaCard[]): void {
    this.#personas = personas;
    this.isStale = false;
    const remembered = recall("persona");
    const first = personas.find(({ id }) => id === remembered) ?? personas[0];
    this.#list.replaceChildren(...personas.map((persona) => this.#option(persona, persona === first)));
    if (first) this.#choose(first);
    else this.#list.append(make("p", "persona-line", "Nobody is here yet. Put a persona into the folder personas."));
  }

  #choose(persona: PersonaCard): void {
    this.#chosen = persona;
    remember("persona", persona.id);
    this.emit("choice", persona);
  }

  #option(persona: PersonaCard, isChosen: boolean): HTMLLabelElement {
    const label = make("label", "persona");
    const input = make("input", "persona-input");
    input.type = "radio";
    input.name = "persona";
    input.value = persona.id;
    input.checked = isChosen;
    const picture = make("img", "");
    picture.alt = "";
    picture.addEventListener("error", () => (picture.hidden = true), { once: true });
    picture.src = this.door.posterUrl(persona);
    const frame = make("span", "persona-picture");
    frame.append(picture);
    const words = make("span", "persona-words");
    words.title = persona.description;
    words.append(make("span", "persona-name", persona.name), make("span", "persona-line", persona.description));
    label.append(input, frame, words);
    return label;
  }
}
