/** One call: a session, its peer, and the way back after a broken network. */

import { waitMs } from "./backoff.js";
import type { Door, SessionGrant } from "./door.js";
import { Emitter } from "./emitter.js";
import { Peer, type WireReport } from "./peer.js";
import { Problem, type ProblemReason } from "./problem.js";
import { every, sleep } from "./timing.js";
import type { ServerEvent } from "./wire.js";

export type CallPhase = "connecting" | "connected" | "reconnecting" | "ended";

export interface CallEnding {
  /** `session.ended.reason`, or the reason of the problem. */
  reason: string;
  problem?: Problem;
}

interface CallEvents {
  phase: CallPhase;
  /** The server is not ready yet; the call tries again by itself. */
  waiting: Problem;
  server: ServerEvent;
  stream: MediaStream;
  wire: WireReport;
  ended: CallEnding;
}

const KEEP_ALIVE_MS = 30_000;
const RETURN_LIMIT_S = 30;
// After these another offer would only be refused again.
const FINAL: ReadonlySet<ProblemReason> = new Set(["session-gone", "unauthorized", "offer-refused", "no-webrtc"]);

export class Call extends Emitter<CallEvents> {
  readonly #life = new AbortController();
  #phase: CallPhase = "connecting";
  #grant: SessionGrant | undefined;
  #peer: Peer | undefined;
  #microphone: MediaStreamTrack | null;

  constructor(
    private readonly door: Door,
    private readonly personaId: string,
    microphone: MediaStreamTrack | null,
  ) {
    super();
    this.#microphone = microphone;
  }

  get phase(): CallPhase {
    return this.#phase;
  }

  get sessionId(): string | null {
    return this.#grant?.id ?? null;
  }

  get pc(): RTCPeerConnection | null {
    return this.#peer?.pc ?? null;
  }

  /** Over when the call is. */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  /** Never rejects: what goes wrong comes out as `ended`. */
  async start(): Promise<void> {
    try {
      this.#grant = await this.#createSession();
      await this.#openPeer(this.#grant);
      every(KEEP_ALIVE_MS, () => this.#peer?.send({ type: "session.keepalive" }), this.signal);
      this.#setPhase("connected");
    } catch (cause) {
      this.#fail(cause);
    }
  }

  /** Sends typed words; the answer breaks off what is being said now. False when the wire is down. */
  say(text: string, eventId: string): boolean {
    const response = { mode: "talk", text, queue: "replace" };
    return this.#peer?.send({ type: "response.create", event_id: eventId, response }) ?? false;
  }

  hangUp(): void {
    this.#finish({ reason: "client" });
  }

  async handleMicrophone(track: MediaStreamTrack): Promise<void> {
    this.#microphone = track;
    if (this.#phase !== "connected" || !this.#peer) return;
    if (this.#peer.isSending) return this.#peer.handleMicrophone(track);
    await this.#return();
  }

  async #createSession(): Promise<SessionGrant> {
    for (;;) {
      try {
        return await this.door.createSession(this.personaId, this.signal);
      } catch (cause) {
        if (!(cause instanceof Problem) || cause.reason !== "warming") throw cause;
        this.emit("waiting", cause);
        await sleep((cause.retryAfterS ?? 2) * 1000, this.signal);
      }
    }
  }

  async #openPeer(grant: SessionGrant): Promise<void> {
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
    } catch (cause) {
      peer.close();
      throw cause;
    }
  }

  async #return(): Promise<void> {
    const grant = this.#grant;
    if (this.#phase !== "connected" || !grant) return;
    this.#setPhase("reconnecting");
    this.#peer?.close();
    const brokeAtMs = performance.now();
    const limitMs = (grant.granted?.limits?.on_disconnect_s || RETURN_LIMIT_S) * 1000;
    try {
      for (let attempt = 0; ; attempt++) {
        const wait = waitMs(attempt, performance.now() - brokeAtMs, limitMs, Math.random());
        if (wait === undefined) throw Problem.lost();
        await sleep(wait, this.signal);
        if (await this.#tryPeer(grant)) return this.#setPhase("connected");
      }
    } catch (cause) {
      this.#fail(cause);
    }
  }

  /** False when another try may help. */
  async #tryPeer(grant: SessionGrant): Promise<boolean> {
    try {
      await this.#openPeer(grant);
      return true;
    } catch (cause) {
      if (!(cause instanceof Problem) || FINAL.has(cause.reason)) throw cause;
      return false;
    }
  }

  #handleMessage(raw: string): void {
    let event: ServerEvent;
    try {
      event = JSON.parse(raw) as ServerEvent;
    } catch {
      console.warn("visavis: a message that is not JSON was left out");
      return;
    }
    this.emit("server", event);
    if (event.type === "session.ended") this.#finish({ reason: event.reason });
  }

  #fail(cause: unknown): void {
    if (this.signal.aborted) return;
    const problem = cause instanceof Problem ? cause : Problem.serverError({ said: String(cause) });
    this.#finish({ reason: problem.reason, problem });
  }

  #finish(ending: CallEnding): void {
    if (this.signal.aborted) return;
    this.#life.abort();
    this.#peer?.close();
    if (this.#grant) void this.door.endSession(this.#grant);
    this.#setPhase("ended");
    this.emit("ended", ending);
  }

  #setPhase(phase: CallPhase): void {
    this.#phase = phase;
    this.emit("phase", phase);
  }
}
