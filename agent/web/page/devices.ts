/** The choice of microphone and, where the browser can, of loudspeaker. */

import { byId, make } from "./dom.js";
import { Emitter } from "./emitter.js";
import { recall, remember } from "./memory.js";

interface DeviceEvents {
  microphone: string;
  speaker: string;
}

export class DevicePicker extends Emitter<DeviceEvents> {
  readonly #dialog = byId<HTMLDialogElement>("devices");
  readonly #microphones = byId<HTMLSelectElement>("microphones");
  readonly #speakers = byId<HTMLSelectElement>("speakers");

  constructor() {
    super();
    byId("devices-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
    this.#microphones.addEventListener("change", () => this.#choose("microphone", this.#microphones.value));
    this.#speakers.addEventListener("change", () => this.#choose("speaker", this.#speakers.value));
    byId("speakers-row").hidden = !("setSinkId" in HTMLMediaElement.prototype);
    (navigator.mediaDevices as MediaDevices | undefined)?.addEventListener("devicechange", () => void this.refresh());
  }

  get microphoneId(): string | null {
    return recall("microphone") || null;
  }

  get speakerId(): string {
    return recall("speaker") ?? "";
  }

  get isOpen(): boolean {
    return this.#dialog.open;
  }

  async open(): Promise<void> {
    await this.refresh();
    this.#dialog.showModal();
  }

  /** Names are known to the page only after the microphone was allowed. */
  async refresh(): Promise<void> {
    const devices = (await (navigator.mediaDevices as MediaDevices | undefined)?.enumerateDevices()) ?? [];
    const microphones = devices.filter(({ kind }) => kind === "audioinput");
    fill(this.#microphones, microphones, "Microphone", this.microphoneId ?? "");
    fill(
      this.#speakers,
      devices.filter(({ kind }) => kind === "audiooutput"),
      "Loudspeaker",
      this.speakerId,
    );
    byId("devices-hint").hidden = microphones.some(({ label }) => label !== "");
  }

  #choose(choice: "microphone" | "speaker", deviceId: string): void {
    remember(choice, deviceId);
    this.emit(choice, deviceId);
  }
}

function fill(select: HTMLSelectElement, devices: MediaDeviceInfo[], kind: string, chosenId: string): void {
  const named = devices.filter(({ deviceId }) => deviceId !== "" && deviceId !== "default");
  const options = named.map(({ deviceId, label }, at) => {
    const option = make("option", "", label || `${kind} ${at + 1}`);
    option.value = deviceId;
    return option;
  });
  const usual = make("option", "", "The system's choice");
  usual.value = "";
  select.replaceChildren(usual, ...options);
  select.value = named.some(({ deviceId }) => deviceId === chosenId) ? chosenId : "";
  select.disabled = options.length === 0;
}
