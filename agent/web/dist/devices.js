import { byId, make } from "./dom.js";
import { Emitter } from "./emitter.js";
import { recall, remember } from "./memory.js";
export class DevicePicker extends Emitter {
    #dialog = byId("devices");
    #microphones = byId("microphones");
    #speakers = byId("speakers");
    constructor() {
        super();
        byId("devices-close").addEventListener("click", () => this.#dialog.close());
        this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
        this.#microphones.addEventListener("change", () => this.#choose("microphone", this.#microphones.value));
        this.#speakers.addEventListener("change", () => this.#choose("speaker", this.#speakers.value));
        byId("speakers-row").hidden = !("setSinkId" in HTMLMediaElement.prototype);
        navigator.mediaDevices?.addEventListener("devicechange", () => void this.refresh());
    }
    get microphoneId() {
        return recall("microphone") || null;
    }
    get speakerId() {
        return recall("speaker") ?? "";
    }
    get isOpen() {
        return this.#dialog.open;
    }
    async open() {
        await this.refresh();
        this.#dialog.showModal();
    }
    async refresh() {
        const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
        const microphones = devices.filter(({ kind }) => kind === "audioinput");
        fill(this.#microphones, microphones, "Microphone", this.microphoneId ?? "");
        fill(this.#speakers, devices.filter(({ kind }) => kind === "audiooutput"), "Loudspeaker", this.speakerId);
        byId("devices-hint").hidden = microphones.some(({ label }) => label !== "");
    }
    #choose(choice, deviceId) {
        remember(choice, deviceId);
        this.emit(choice, deviceId);
    }
}
function fill(select, devices, kind, chosenId) {
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
