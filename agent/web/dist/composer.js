import { byId } from "./dom.js";
import { MAX_TEXT_CHARS } from "./wire.js";
export class Composer {
    say;
    #form = byId("composer");
    #field = byId("message");
    #send = byId("send");
    constructor(say) {
        this.say = say;
        this.#field.maxLength = MAX_TEXT_CHARS;
        this.#form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.#submit();
        });
        this.#field.addEventListener("keydown", (event) => {
            if (event.key === "Escape")
                this.#field.blur();
            if (event.key !== "Enter" || event.shiftKey || event.isComposing)
                return;
            event.preventDefault();
            this.#submit();
        });
    }
    handleOpen(isOpen, hint) {
        this.#field.disabled = !isOpen;
        this.#send.disabled = !isOpen;
        this.#field.placeholder = hint;
    }
    focus() {
        this.#field.focus();
    }
    #submit() {
        const text = this.#field.value.trim();
        if (text && this.say(text))
            this.#field.value = "";
    }
}
