import { byId } from "./dom.js";
import { Emitter } from "./emitter.js";
import { meterMicrophone } from "./microphone.js";
export class MuteButton extends Emitter {
    #button = byId("mute");
    #track = null;
    #isMuted = false;
    #life = new AbortController();
    constructor() {
        super();
        this.#button.addEventListener("click", () => this.toggle());
    }
    get track() {
        return this.#track;
    }
    handleTrack(track) {
        this.#life.abort();
        this.#life = new AbortController();
        this.#track?.stop();
        this.#track = track;
        if (!track)
            this.#isMuted = false;
        else {
            meterMicrophone(track, (level) => this.#button.style.setProperty("--level", level.toFixed(2)), this.#life.signal);
            track.addEventListener("ended", () => this.#lost(), { signal: this.#life.signal });
        }
        this.#show();
    }
    toggle() {
        if (!this.#track)
            return;
        this.#isMuted = !this.#isMuted;
        this.#show();
    }
    #lost() {
        this.handleTrack(null);
        this.emit("lost", undefined);
    }
    #show() {
        if (this.#track)
            this.#track.enabled = !this.#isMuted;
        this.#button.disabled = this.#track === null;
        this.#button.setAttribute("aria-pressed", String(this.#isMuted));
        const label = this.#track === null ? "No microphone" : this.#isMuted ? "Unmute" : "Mute";
        this.#button.title = this.#track === null ? label : `${label} (M)`;
        byId("mute-label").textContent = label;
        byId("mute-icon").setAttribute("href", this.#isMuted || !this.#track ? "#icon-mic-off" : "#icon-mic");
    }
}
