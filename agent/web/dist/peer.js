import { Emitter } from "./emitter.js";
import { Problem } from "./problem.js";
import { every } from "./timing.js";
const GATHER_LIMIT_MS = 1_000;
const CONNECT_LIMIT_MS = 15_000;
const HEAL_MS = 2_500;
const SILENT_WIRE_S = 3;
export class Peer extends Emitter {
    options;
    pc;
    #channel;
    #audio;
    #life = new AbortController();
    constructor(options) {
        super();
        this.options = options;
        try {
            this.pc = new RTCPeerConnection({ iceServers: options.iceServers });
        }
        catch {
            throw Problem.noWebRtc();
        }
        this.#channel = this.pc.createDataChannel("visavis", { ordered: true });
        this.#audio = this.pc.addTransceiver(options.microphone ?? "audio", {
            direction: options.microphone ? "sendrecv" : "recvonly",
        });
        this.pc.addTransceiver("video", { direction: "recvonly" });
    }
    async connect(signal) {
        signal.addEventListener("abort", () => this.close(), { once: true, signal: this.#life.signal });
        this.#listen();
        await this.pc.setLocalDescription();
        await this.#gathered();
        signal.throwIfAborted();
        const sdp = await this.options.answerTo(this.pc.localDescription?.sdp ?? "");
        signal.throwIfAborted();
        try {
            await this.pc.setRemoteDescription({ type: "answer", sdp });
        }
        catch {
            throw Problem.offerRefused({ said: "Its answer could not be read" });
        }
        await this.#connected();
        signal.throwIfAborted();
        this.#watch();
    }
    send(message) {
        if (this.#channel.readyState !== "open")
            return false;
        this.#channel.send(JSON.stringify(message));
        return true;
    }
    async handleMicrophone(track) {
        await this.#audio.sender.replaceTrack(track);
    }
    get isSending() {
        return this.#audio.direction === "sendrecv";
    }
    close() {
        this.#life.abort();
        this.#channel.close();
        this.pc.close();
    }
    #listen() {
        const { signal } = this.#life;
        const stream = new MediaStream();
        const onTrack = ({ track, streams }) => {
            if (streams[0])
                return this.emit("stream", streams[0]);
            stream.addTrack(track);
            this.emit("stream", stream);
        };
        this.pc.addEventListener("track", onTrack, { signal });
        this.#channel.addEventListener("message", ({ data }) => this.emit("message", String(data)), { signal });
    }
    #gathered() {
        if (this.pc.iceGatheringState === "complete")
            return Promise.resolve();
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, GATHER_LIMIT_MS);
            const look = () => {
                if (this.pc.iceGatheringState !== "complete")
                    return;
                clearTimeout(timer);
                resolve();
            };
            this.pc.addEventListener("icegatheringstatechange", look, { signal: this.#life.signal });
        });
    }
    #connected() {
        return new Promise((resolve, reject) => {
            const { signal } = this.#life;
            const timer = setTimeout(() => reject(Problem.noPath()), CONNECT_LIMIT_MS);
            const look = () => {
                if (this.pc.connectionState === "failed")
                    reject(Problem.noPath());
                if (this.pc.connectionState === "connected" && this.#channel.readyState === "open")
                    resolve();
                else if (!signal.aborted)
                    return;
                clearTimeout(timer);
            };
            this.pc.addEventListener("connectionstatechange", look, { signal });
            this.#channel.addEventListener("open", look, { signal });
            signal.addEventListener("abort", () => (clearTimeout(timer), reject(Problem.noPath())), { once: true });
            look();
        });
    }
    #watch() {
        const { signal } = this.#life;
        let timer;
        const breakDown = () => {
            if (!signal.aborted)
                this.emit("broken", undefined);
        };
        const look = () => {
            clearTimeout(timer);
            const state = this.pc.connectionState;
            if (state === "failed" || state === "closed")
                breakDown();
            if (state === "disconnected")
                timer = setTimeout(breakDown, HEAL_MS);
        };
        this.pc.addEventListener("connectionstatechange", look, { signal });
        this.#channel.addEventListener("close", breakDown, { signal });
        signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
        this.#watchPackets(breakDown);
        look();
    }
    #watchPackets(breakDown) {
        let received = -1;
        let silentS = 0;
        const look = async () => {
            const { now, wire } = readStats(await this.pc.getStats());
            this.emit("wire", wire);
            silentS = now === received ? silentS + 1 : 0;
            received = now;
            if (silentS >= SILENT_WIRE_S)
                breakDown();
        };
        every(1_000, () => void look(), this.#life.signal);
    }
}
function readStats(stats) {
    let now = 0;
    const wire = { fps: null, roundTripMs: null, lostPackets: 0 };
    for (const report of stats.values()) {
        if (report.type === "inbound-rtp") {
            const stream = report;
            now += stream.packetsReceived ?? 0;
            wire.lostPackets += stream.packetsLost ?? 0;
            wire.fps = stream.framesPerSecond ?? wire.fps;
        }
        const pair = report;
        if (report.type === "candidate-pair" && pair.nominated && pair.currentRoundTripTime !== undefined) {
            wire.roundTripMs = pair.currentRoundTripTime * 1000;
        }
    }
    return { now, wire };
}
