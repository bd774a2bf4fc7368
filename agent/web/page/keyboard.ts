/** Keys of the call, silent while somebody types or a dialog is open. */

interface KeyActions {
  call: () => void;
  mute: () => void;
  hangUp: () => void;
}

export function listenToKeys({ call, mute, hangUp }: KeyActions): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("textarea, select, input:not([type=radio]), dialog[open]")) return;
    const presses = target.closest("button, a, summary") !== null;
    if (event.key === "Escape") hangUp();
    else if (event.key.toLowerCase() === "m" || event.code === "KeyM") mute();
    else if (event.key === "Enter" && !presses) call();
    else if (event.key === " " && !presses && !target.closest("input")) {
      event.preventDefault();
      call();
    }
  });
}
