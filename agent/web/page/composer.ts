/** Typed messages: Enter sends, Shift and Enter make a new line. */

import { byId } from "./dom.js";
import { MAX_TEXT_CHARS } from "./wire.js";

export class Composer {
  readonly #form = byId<HTMLFormElement>("composer");
  readonly #field = byId<HTMLTextAreaElement>("message");
  readonly #send = byId<HTMLButtonElement>("send");

  /** @param say Takes the text; false when it could not go out, and then the text stays in the field. */
  constructor(private readonly say: (text: string) => boolean) {
    this.#field.maxLength = MAX_TEXT_CHARS;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#field.blur();
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
  }

  handleOpen(isOpen: boolean, hint: string): void {
    this.#field.disabled = !isOpen;
    this.#send.disabled = !isOpen;
    this.#field.placeholder = hint;
  }

  focus(): void {
    this.#field.focus();
  }

  #submit(): void {
    const text = this.#field.value.trim();
    if (text && this.say(text)) this.#field.value = "";
  }
}
