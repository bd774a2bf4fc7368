import { byId } from "./dom.js";
const ACTIVITIES = {
    idle: "Here",
    listening: "Listening",
    thinking: "Thinking",
    speaking: "Speaking",
    paused: "Paused",
};
export class FaceView {
    video = byId("video");
    #poster = byId("poster");
    #card = byId("face");
    #hear = byId("hear");
    constructor() {
        this.#hear.addEventListener("click", () => void this.#play());
        this.#poster.addEventListener("load", () => (this.#poster.hidden = false));
        this.#poster.addEventListener("error", () => (this.#poster.hidden = true));
    }
    handlePersona(name, posterUrl) {
        byId("persona-name").textContent = name;
        this.#poster.src = posterUrl;
        this.video.setAttribute("aria-label", `Live picture of ${name}`);
    }
    handleStream(stream) {
        if (this.video.srcObject === stream)
            return;
        this.#card.classList.remove("live");
        this.video.srcObject = stream;
        const show = () => {
            if (this.video.srcObject === stream)
                this.#card.classList.add("live");
        };
        if ("requestVideoFrameCallback" in this.video)
            this.video.requestVideoFrameCallback(show);
        else
            this.video.addEventListener("loadeddata", show, { once: true });
        void this.#play();
    }
    handleActivity(state) {
        this.#card.dataset["activity"] = state;
        byId("activity").textContent = ACTIVITIES[state] ?? "";
    }
    handleWaiting(text) {
        this.#card.classList.remove("live");
        this.#card.dataset["activity"] = "waiting";
        byId("activity").textContent = text;
    }
    async handleSpeaker(deviceId) {
        if (!("setSinkId" in this.video))
            return;
        await this.video.setSinkId(deviceId).catch(() => undefined);
    }
    clear() {
        this.#card.classList.remove("live");
        delete this.#card.dataset["activity"];
        byId("activity").textContent = "";
        this.video.srcObject = null;
        this.#hear.hidden = true;
    }
    async #play() {
        this.video.muted = false;
        this.#hear.hidden = true;
        try {
            await this.video.play();
        }
        catch (cause) {
            if (!(cause instanceof DOMException) || cause.name !== "NotAllowedError")
                return;
            this.video.muted = true;
            this.#hear.hidden = false;
            await this.video.play().catch(() => undefined);
        }
    }
}
