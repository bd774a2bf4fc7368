/** Puts the parts together: who is called, what the call says, what the page shows of it. */

import { Call, type CallEnding, type CallPhase } from "./call.js";
import { Captions } from "./captions.js";
import { Composer } from "./composer.js";
import { DevicePicker } from "./devices.js";
import { byId } from "./dom.js";
import type { Door, PersonaCard } from "./door.js";
import { EnginesPanel } from "./engines.js";
import { FaceView } from "./face.js";
import { LatencyPanel } from "./latency.js";
import { openMicrophone } from "./microphone.js";
import { MuteButton } from "./mute.js";
import { Notice, type NoticeAction } from "./notice.js";
import { PersonaPicker } from "./personas.js";
import { Problem } from "./problem.js";
import { every } from "./timing.js";
import { Transcript } from "./transcript.js";
import { keepAwake } from "./wake.js";
import type { ServerEvent } from "./wire.js";

export type Phase = "idle" | "asking" | CallPhase;

const PHASES: Record<Phase, string> = {
  idle: "Ready",
  asking: "Allow the microphone",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  ended: "Call ended",
};

const ENDINGS: Record<string, string> = {
  idle_timeout: "The call ended because it was quiet for a long time.",
  max_duration: "The call reached its longest time.",
  connect_timeout: "The call ended because nobody came.",
  disconnected: "The call ended because the connection was gone too long.",
  server_shutdown: "The server is being stopped, and the call ended with it.",
  error: "The call ended because of a fault on the server. Its terminal says more.",
};

const ENGINES_POLL_MS = 2_000;

export class App {
  readonly #transcript = new Transcript();
  readonly #captions = new Captions(this.#transcript);
  readonly #engines = new EnginesPanel();
  readonly #latency = new LatencyPanel();
  readonly #face = new FaceView();
  readonly #notice = new Notice();
  readonly #devices = new DevicePicker();
  readonly #mute = new MuteButton();
  readonly #personas: PersonaPicker;
  readonly #composer = new Composer((text) => this.#say(text));
  #phase: Phase = "idle";
  #call: Call | undefined;
  #typed = 0;
  #attempt = 0;
  #startedMs = 0;
  #isServerGone = false;
  #isWarm = false;

  constructor(private readonly door: Door) {
    this.#personas = new PersonaPicker(door);
    this.#personas.on("choice", (persona) => this.#choose(persona));
    this.#devices.on("microphone", () => void this.#useMicrophone());
    this.#devices.on("speaker", (deviceId) => void this.#face.handleSpeaker(deviceId));
    this.#mute.on("lost", () => this.#microphoneLost());
    byId("call").addEventListener("click", () => void this.startCall());
    byId("hang-up").addEventListener("click", () => this.hangUp());
    byId("open-devices").addEventListener("click", () => void this.#devices.open());
    byId("back").addEventListener("click", () => this.#backToLobby());
    addEventListener("pagehide", () => this.#call?.hangUp());
  }

  get phase(): Phase {
    return this.#phase;
  }

  get call(): Call | undefined {
    return this.#call;
  }

  async start(): Promise<void> {
    this.#setPhase("idle");
    this.#latency.clear();
    if (!("RTCPeerConnection" in window)) this.#notice.show(Problem.noWebRtc(), []);
    await this.#lookAtServer();
    setInterval(() => void this.#lookAtServer(), ENGINES_POLL_MS);
  }

  async startCall(): Promise<void> {
    const persona = this.#personas.chosen;
    if (this.#isBusy() || !persona) return;
    this.#notice.hide();
    if (!("RTCPeerConnection" in window)) return this.#notice.show(Problem.noWebRtc(), []);
    this.#setPhase("asking");
    this.#transcript.clear();
    this.#latency.clear();
    document.body.dataset["view"] = "talk";
    byId("persona-name").focus();
    const attempt = ++this.#attempt;
    const fault = await this.#openMicrophone(() => this.#phase === "asking" && this.#attempt === attempt);
    if (fault === "late") return;
    const call = new Call(this.door, persona.id, this.#mute.track);
    this.#call = call;
    this.#listenTo(call, fault);
    this.#setPhase("connecting");
    await call.start();
  }

  hangUp(): void {
    if (this.#phase === "asking") this.#ended({ reason: "client" });
    else this.#call?.hangUp();
  }

  toggleMute(): void {
    if (this.#isBusy()) this.#mute.toggle();
  }

  #isBusy(): boolean {
    return this.#phase !== "idle" && this.#phase !== "ended";
  }

  #listenTo(call: Call, microphoneFault: Problem | null): void {
    const { signal } = call;
    call.on("phase", (phase) => this.#setPhase(phase));
    call.on("stream", (stream) => this.#face.handleStream(stream), signal);
    call.on("server", (event) => this.#handleServerEvent(event), signal);
    call.on("wire", (report) => this.#latency.handleWire(report), signal);
    call.on("ended", (ending) => this.#ended(ending));
    call.on("waiting", (problem) => this.#notice.show(problem, [this.#hangUpAction()]), signal);
    const connected = (phase: CallPhase): void => {
      if (phase !== "connected") return;
      void this.#face.handleSpeaker(this.#devices.speakerId);
      if (this.#mute.track) return this.#notice.hide();
      if (microphoneFault && this.#notice.reason !== microphoneFault.reason) this.#typeInstead(microphoneFault);
    };
    call.on("phase", connected, signal);
    keepAwake(signal);
    this.#startedMs = performance.now();
    const showTime = (): void => void (byId("clock").textContent = this.#clock());
    every(1_000, showTime, signal);
    showTime();
  }

  #handleServerEvent(event: ServerEvent): void {
    this.#transcript.handleServerEvent(event);
    if (event.type === "session.created" && event.session.engines) this.#engines.handleEngines(event.session.engines);
    if (event.type === "session.engines") this.#engines.handleEngines(event.engines);
    if (event.type === "response.done") this.#latency.handleMetrics(event.metrics, event.turn);
    if (event.type !== "session.avatar.state") return;
    this.#face.handleActivity(event.state);
    this.#captions.handleThinking(event.state === "thinking");
  }

  #ended({ reason, problem }: CallEnding): void {
    this.#setPhase("ended");
    this.#mute.handleTrack(null);
    this.#face.clear();
    this.#captions.handleThinking(false);
    this.#transcript.handleEnd();
    this.#notice.hide();
    if (problem) this.#notice.show(problem, []);
    if (problem?.reason === "persona-gone") this.#personas.isStale = true;
    if (this.#transcript.lines.length === 0) document.body.dataset["view"] = "lobby";
    else if (!problem) this.#transcript.handleNote(ENDINGS[reason] ?? `You hung up after ${this.#clock()}.`);
    byId("call").focus({ preventScroll: true });
  }

  /** @returns What went wrong, null for nothing, "late" when nobody waits any more: the browser may ask for minutes. */
  async #openMicrophone(isWanted: () => boolean): Promise<Problem | null | "late"> {
    let track: MediaStreamTrack | null = null;
    let fault: Problem | null = null;
    try {
      track = await openMicrophone(this.#devices.microphoneId);
    } catch (cause) {
      fault = cause instanceof Problem ? cause : Problem.micBusy();
    }
    if (isWanted()) this.#mute.handleTrack(track);
    else track?.stop();
    return isWanted() ? fault : "late";
  }

  /** Also the way from a call without a microphone to one with it. */
  async #useMicrophone(): Promise<void> {
    const call = this.#call;
    if (!this.#isBusy() || !call) return;
    const fault = await this.#openMicrophone(() => this.#call === call && !call.signal.aborted);
    if (fault === "late") return;
    if (fault) return this.#typeInstead(fault);
    this.#notice.hide();
    if (this.#mute.track) await call.handleMicrophone(this.#mute.track);
  }

  #microphoneLost(): void {
    if (this.#isBusy()) this.#typeInstead(Problem.micLost());
  }

  #typeInstead(fault: Problem): void {
    const type = (): void => {
      this.#notice.hide();
      this.#composer.focus();
    };
    this.#notice.show(fault, [
      { label: "Type instead", act: type },
      { label: "Try again", act: () => void this.#useMicrophone() },
    ]);
  }

  #hangUpAction(): NoticeAction {
    return { label: "Stop", act: () => this.hangUp() };
  }

  #say(text: string): boolean {
    const eventId = `page-${++this.#typed}`;
    if (!this.#call?.say(text, eventId)) return false;
    this.#transcript.handleTyped(text, eventId);
    return true;
  }

  /** Before a call: is the server there, who can be called, which engines would answer. */
  async #lookAtServer(): Promise<void> {
    if (this.#isBusy() || document.hidden) return;
    try {
      const engines = await this.door.engines();
      this.#engines.handleEngines(engines);
      const isWarm = Object.keys(engines).length > 0;
      // A server that has just become warm has portraits now.
      if (this.#personas.isStale || (isWarm && !this.#isWarm)) {
        this.#personas.handlePersonas(await this.door.personas());
      }
      this.#isWarm = isWarm;
      this.#isServerGone = false;
      if (this.#notice.reason === "server-gone") this.#notice.hide();
    } catch (cause) {
      if (this.#isBusy() || !(cause instanceof Problem)) return;
      this.#isServerGone = cause.reason === "server-gone";
      this.#personas.isStale = true;
      if (!this.#notice.reason) this.#notice.show(cause, []);
    }
    this.#showStatus();
  }

  #showStatus(): void {
    const isGone = this.#isServerGone && !this.#isBusy();
    document.body.dataset["server"] = isGone ? "gone" : "there";
    const waits = this.#phase === "idle" && !this.#isWarm ? "Warming up" : PHASES[this.#phase];
    const text = isGone ? "No server" : waits;
    // Set only when it changes: screen readers read this place aloud.
    if (byId("status-text").textContent !== text) byId("status-text").textContent = text;
    if (this.#isBusy() && this.#phase !== "connected") this.#face.handleWaiting(PHASES[this.#phase]);
  }

  #choose(persona: PersonaCard): void {
    this.#face.handlePersona(persona.name, this.door.posterUrl(persona));
    this.#captions.handlePersona(persona.name, persona.language);
    byId("call-label").textContent = `Call ${persona.name}`;
  }

  #backToLobby(): void {
    document.body.dataset["view"] = "lobby";
    this.#notice.hide();
    this.#setPhase("idle");
  }

  /** How long the call is, as m:ss. */
  #clock(): string {
    const seconds = Math.floor((performance.now() - this.#startedMs) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  #setPhase(phase: Phase): void {
    this.#phase = phase;
    document.body.dataset["phase"] = phase;
    this.#showStatus();
    const persona = this.#personas.chosen?.name ?? "";
    byId("call-label").textContent = phase === "ended" ? "Call again" : `Call ${persona}`.trim();
    document.title = this.#isBusy() && persona ? `${persona} · Visavis` : "Visavis";
    const hint = phase === "connected" ? `Write to ${persona}` : this.#isBusy() ? "Connecting…" : "Call to write";
    this.#composer.handleOpen(phase === "connected", hint);
  }
}
