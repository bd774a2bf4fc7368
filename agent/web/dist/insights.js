import { byId } from "./dom.js";
export function startInsights() {
    const buttons = [...document.querySelectorAll(".insight-toggle")];
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
