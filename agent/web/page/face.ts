/** The face: a still picture until the first frame is there, then the live one, with its voice. */

import { byId } from "./dom.js";

const ACTIVITIES: Record<string, string> = {
  idle: "Here",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  paused: "Paused",
};

export class FaceView {
  readonly video = byId<HTMLVideoElement>("video");
  readonly #poster = byId<HTMLImageElement>("poster");
  readonly #card = byId("face");
  readonly #hear = byId<HTMLButtonElement>("hear");

  constructor() {
    this.#hear.addEventListener("click", () => void this.#play());
    this.#poster.addEventListener("load", () => (this.#poster.hidden = false));
    this.#poster.addEventListener("error", () => (this.#poster.hidden = true));
  }

  handlePersona(name: string, posterUrl: string): void {
    byId("persona-name").textContent = name;
    this.#poster.src = posterUrl;
    this.video.setAttribute("aria-label", `Live picture of ${name}`);
  }

  handleStream(stream: MediaStream): void {
    if (this.video.srcObject === stream) return;
    this.#card.classList.remove("live");
    this.video.srcObject = stream;
    const show = (): void => {
      if (this.video.srcObject === stream) this.#card.classList.add("live");
    };
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(show);
    else (this.video as HTMLVideoElement).addEventListener("loadeddata", show, { once: true });
    void this.#play();
  }

  handleActivity(state: string): void {
    this.#card.dataset["activity"] = state;
    byId("activity").textContent = ACTIVITIES[state] ?? "";
  }

  /** What the call waits for, said on the face itself; a broken stream turns black, so the still one shows. */
  handleWaiting(text: string): void {
    this.#card.classList.remove("live");
    this.#card.dataset["activity"] = "waiting";
    byId("activity").textContent = text;
  }

  async handleSpeaker(deviceId: string): Promise<void> {
    if (!("setSinkId" in this.video)) return;
    // A loudspeaker that is gone: the system's own choice goes on.
    await this.video.setSinkId(deviceId).catch(() => undefined);
  }

  clear(): void {
    this.#card.classList.remove("live");
    delete this.#card.dataset["activity"];
    byId("activity").textContent = "";
    this.video.srcObject = null;
    this.#hear.hidden = true;
  }

  /** Where the browser forbids sound before a click, the picture comes first and a button brings the voice. */
  async #play(): Promise<void> {
    this.video.muted = false;
    this.#hear.hidden = true;
    try {
      await this.video.play();
    } catch (cause) {
      if (!(cause instanceof DOMException) || cause.name !== "NotAllowedError") return;
      this.video.muted = true;
      this.#hear.hidden = false;
      await this.video.play().catch(() => undefined);
    }
  }
}
