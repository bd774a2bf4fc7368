/** One WebRTC connection of a call: offer, answer, data channel, and word when it breaks. */

import { Emitter } from "./emitter.js";
import { Problem } from "./problem.js";
import { every } from "./timing.js";

/** How the wire fares, as this browser sees it; null when it does not say. */
export interface WireReport {
  fps: number | null;
  roundTripMs: number | null;
  lostPackets: number;
}

interface PeerEvents {
  wire: WireReport;
  stream: MediaStream;
  message: string;
  broken: undefined;
}

interface PeerOptions {
  iceServers: RTCIceServer[];
  microphone: MediaStreamTrack | null;
  /** Brings the offer to the server and the answer back. */
  answerTo: (offerSdp: string) => Promise<string>;
}

const GATHER_LIMIT_MS = 1_000;
// Longer than ICE needs on any network that works (API: ICE 15 s).
const CONNECT_LIMIT_MS = 15_000;
// A short "disconnected" heals by itself; consent checks come every 5 s (RFC 7675).
const HEAL_MS = 2_500;
// The server sends sound and picture without pause: three seconds of nothing is a dead wire, seen before ICE sees it.
const SILENT_WIRE_S = 3;

export class Peer extends Emitter<PeerEvents> {
  readonly pc: RTCPeerConnection;
  readonly #channel: RTCDataChannel;
  readonly #audio: RTCRtpTransceiver;
  readonly #life = new AbortController();

  constructor(private readonly options: PeerOptions) {
    super();
    try {
      this.pc = new RTCPeerConnection({ iceServers: options.iceServers });
    } catch {
      throw Problem.noWebRtc();
    }
    this.#channel = this.pc.createDataChannel("visavis", { ordered: true });
    this.#audio = this.pc.addTransceiver(options.microphone ?? "audio", {
      direction: options.microphone ? "sendrecv" : "recvonly",
    });
    this.pc.addTransceiver("video", { direction: "recvonly" });
  }

  /** Resolves when sound, picture and events can flow. */
  async connect(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.close(), { once: true, signal: this.#life.signal });
    this.#listen();
    await this.pc.setLocalDescription();
    await this.#gathered();
    signal.throwIfAborted();
    const sdp = await this.options.answerTo(this.pc.localDescription?.sdp ?? "");
    signal.throwIfAborted();
    try {
      await this.pc.setRemoteDescription({ type: "answer", sdp });
    } catch {
      throw Problem.offerRefused({ said: "Its answer could not be read" });
    }
    await this.#connected();
    signal.throwIfAborted();
    this.#watch();
  }

  /** False when the message could not go out. */
  send(message: object): boolean {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  async handleMicrophone(track: MediaStreamTrack): Promise<void> {
    await this.#audio.sender.replaceTrack(track);
  }

  /** Whether the microphone can be changed without a new offer. */
  get isSending(): boolean {
    return this.#audio.direction === "sendrecv";
  }

  close(): void {
    this.#life.abort();
    this.#channel.close();
    this.pc.close();
  }

  #listen(): void {
    const { signal } = this.#life;
    const stream = new MediaStream();
    const onTrack = ({ track, streams }: RTCTrackEvent): void => {
      // Both tracks in one stream, so that the browser keeps lips and voice together.
      if (streams[0]) return this.emit("stream", streams[0]);
      stream.addTrack(track);
      this.emit("stream", stream);
    };
    this.pc.addEventListener("track", onTrack, { signal });
    this.#channel.addEventListener("message", ({ data }) => this.emit("message", String(data)), { signal });
  }

  #gathered(): Promise<void> {
    if (this.pc.iceGatheringState === "complete") return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHER_LIMIT_MS);
      const look = (): void => {
        if (this.pc.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve();
      };
      this.pc.addEventListener("icegatheringstatechange", look, { signal: this.#life.signal });
    });
  }

  #connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#life;
      const timer = setTimeout(() => reject(Problem.noPath()), CONNECT_LIMIT_MS);
      const look = (): void => {
        if (this.pc.connectionState === "failed") reject(Problem.noPath());
        if (this.pc.connectionState === "connected" && this.#channel.readyState === "open") resolve();
        else if (!signal.aborted) return;
        clearTimeout(timer);
      };
      this.pc.addEventListener("connectionstatechange", look, { signal });
      this.#channel.addEventListener("open", look, { signal });
      signal.addEventListener("abort", () => (clearTimeout(timer), reject(Problem.noPath())), { once: true });
      look();
    });
  }

  #watch(): void {
    const { signal } = this.#life;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const breakDown = (): void => {
      if (!signal.aborted) this.emit("broken", undefined);
    };
    const look = (): void => {
      clearTimeout(timer);
      const state = this.pc.connectionState;
      if (state === "failed" || state === "closed") breakDown();
      if (state === "disconnected") timer = setTimeout(breakDown, HEAL_MS);
    };
    this.pc.addEventListener("connectionstatechange", look, { signal });
    this.#channel.addEventListener("close", breakDown, { signal });
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
    this.#watchPackets(breakDown);
    look();
  }

  #watchPackets(breakDown: () => void): void {
    let received = -1;
    let silentS = 0;
    const look = async (): Promise<void> => {
      const { now, wire } = readStats(await this.pc.getStats());
      this.emit("wire", wire);
      silentS = now === received ? silentS + 1 : 0;
      received = now;
      if (silentS >= SILENT_WIRE_S) breakDown();
    };
    every(1_000, () => void look(), this.#life.signal);
  }
}

function readStats(stats: RTCStatsReport): { now: number; wire: WireReport } {
  let now = 0;
  const wire: WireReport = { fps: null, roundTripMs: null, lostPackets: 0 };
  for (const report of stats.values() as Iterable<RTCStats>) {
    if (report.type === "inbound-rtp") {
      const stream = report as RTCInboundRtpStreamStats;
      now += stream.packetsReceived ?? 0;
      wire.lostPackets += stream.packetsLost ?? 0;
      wire.fps = stream.framesPerSecond ?? wire.fps;
    }
    const pair = report as RTCIceCandidatePairStats;
    if (report.type === "candidate-pair" && pair.nominated && pair.currentRoundTripTime !== undefined) {
      wire.roundTripMs = pair.currentRoundTripTime * 1000;
    }
  }
  return { now, wire };
}
