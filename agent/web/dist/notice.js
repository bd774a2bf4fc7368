import { byId, make } from "./dom.js";
export class Notice {
    #box = byId("notice");
    #reason = "";
    get reason() {
        return this.#reason;
    }
    show({ reason, title, advice }, actions) {
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
    hide() {
        this.#reason = "";
        this.#box.hidden = true;
        this.#box.replaceChildren();
    }
}
