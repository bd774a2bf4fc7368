import { waitMs } from "./backoff.js";
import { Emitter } from "./emitter.js";
import { Peer } from "./peer.js";
import { Problem } from "./problem.js";
import { every, sleep } from "./timing.js";
const KEEP_ALIVE_MS = 30_000;
const RETURN_LIMIT_S = 30;
const FINAL = new Set(["session-gone", "unauthorized", "offer-refused", "no-webrtc"]);
export class Call extends Emitter {
    door;
    personaId;
    #life = new AbortController();
    #phase = "connecting";
    #grant;
    #peer;
    #microphone;
    constructor(door, personaId, microphone) {
        super();
        this.door = door;
        this.personaId = personaId;
        this.#microphone = microphone;
    }
    get phase() {
        return this.#phase;
    }
    get sessionId() {
        return this.#grant?.id ?? null;
    }
    get pc() {
        return this.#peer?.pc ?? null;
    }
    get signal() {
        return this.#life.signal;
    }
    async start() {
        try {
            this.#grant = await this.#createSession();
            await this.#openPeer(this.#grant);
            every(KEEP_ALIVE_MS, () => this.#peer?.send({ type: "session.keepalive" }), this.signal);
            this.#setPhase("connected");
        }
        catch (cause) {
            this.#fail(cause);
        }
    }
    say(text, eventId) {
        const response = { mode: "talk", text, queue: "replace" };
        return this.#peer?.send({ type: "response.create", event_id: eventId, response }) ?? false;
    }
    hangUp() {
        this.#finish({ reason: "client" });
    }
    async handleMicrophone(track) {
        this.#microphone = track;
        if (this.#phase !== "connected" || !this.#peer)
            return;
        if (this.#peer.isSending)
            return this.#peer.handleMicrophone(track);
        await this.#return();
    }
    async #createSession() {
        for (;;) {
            try {
                return await this.door.createSession(this.personaId, this.signal);
            }
            catch (cause) {
                if (!(cause instanceof Problem) || cause.reason !== "warming")
                    throw cause;
                this.emit("waiting", cause);
                await sleep((cause.retryAfterS ?? 2) * 1000, this.signal);
            }
        }
    }
    async #openPeer(grant) {
        this.#peer?.close();
        const peer = new Peer({
            iceServers: grant.ice_servers,
            microphone: this.#microphone,
            answerTo: (sdp) => this.door.offer(grant, sdp, this.signal),
        });
        this.#peer = peer;
        peer.on("stream", (stream) => this.emit("stream", stream), this.signal);
        peer.on("wire", (report) => this.emit("wire", report), this.signal);
        peer.on("message", (raw) => this.#handleMessage(raw), this.signal);
        peer.on("broken", () => void this.#return(), this.signal);
        try {
            await peer.connect(this.signal);
        }
        catch (cause) {
            peer.close();
            throw cause;
        }
    }
    async #return() {
        const grant = this.#grant;
        if (this.#phase !== "connected" || !grant)
            return;
        this.#setPhase("reconnecting");
        this.#peer?.close();
        const brokeAtMs = performance.now();
        const limitMs = (grant.granted?.limits?.on_disconnect_s || RETURN_LIMIT_S) * 1000;
        try {
            for (let attempt = 0;; attempt++) {
                const wait = waitMs(attempt, performance.now() - brokeAtMs, limitMs, Math.random());
                if (wait === undefined)
                    throw Problem.lost();
                await sleep(wait, this.signal);
                if (await this.#tryPeer(grant))
                    return this.#setPhase("connected");
            }
        }
        catch (cause) {
            this.#fail(cause);
        }
    }
    async #tryPeer(grant) {
        try {
            await this.#openPeer(grant);
            return true;
        }
        catch (cause) {
            if (!(cause instanceof Problem) || FINAL.has(cause.reason))
                throw cause;
            return false;
        }
    }
    #handleMessage(raw) {
        let event;
        try {
            event = JSON.parse(raw);
        }
        catch {
            console.warn("visavis: a message that is not JSON was left out");
            return;
        }
        this.emit("server", event);
        if (event.type === "session.ended")
            this.#finish({ reason: event.reason });
    }
    #fail(cause) {
        if (this.signal.aborted)
            return;
        const problem = cause instanceof Problem ? cause : Problem.serverError({ said: String(cause) });
        this.#finish({ reason: problem.reason, problem });
    }
    #finish(ending) {
        if (this.signal.aborted)
            return;
        this.#life.abort();
        this.#peer?.close();
        if (this.#grant)
            void this.door.endSession(this.#grant);
        this.#setPhase("ended");
        this.emit("ended", ending);
    }
    #setPhase(phase) {
        this.#phase = phase;
        this.emit("phase", phase);
    }
}
