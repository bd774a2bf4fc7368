import { byId, make } from "./dom.js";
import { Emitter } from "./emitter.js";
import { recall, remember } from "./memory.js";
export class PersonaPicker extends Emitter {
    door;
    #list = byId("personas");
    #personas = [];
    #chosen;
    constructor(door) {
        super();
        this.door = door;
        this.#list.addEventListener("change", ({ target }) => {
            const persona = this.#personas.find(({ id }) => id === target.value);
            if (persona)
                this.#choose(persona);
        });
    }
    isStale = true;
    get chosen() {
        return this.#chosen;
    }
    handlePersonas(personas) {
        this.#personas = personas;
        this.isStale = false;
        const remembered = recall("persona");
        const first = personas.find(({ id }) => id === remembered) ?? personas[0];
        this.#list.replaceChildren(...personas.map((persona) => this.#option(persona, persona === first)));
        if (first)
            this.#choose(first);
        else
            this.#list.append(make("p", "persona-line", "Nobody is here yet. Put a persona into the folder personas."));
    }
    #choose(persona) {
        this.#chosen = persona;
        remember("persona", persona.id);
        this.emit("choice", persona);
    }
    #option(persona, isChosen) {
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
