/** The two panels under the captions: one open at a time. */

import { byId } from "./dom.js";

export function startInsights(): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>(".insight-toggle")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const opens = button.getAttribute("aria-expanded") !== "true";
      for (const other of buttons) {
        const isOpen = other === button && opens;
        other.setAttribute("aria-expanded", String(isOpen));
        byId(other.getAttribute("aria-controls") ?? "").hidden = !isOpen;
      }
    });
  }
}
