/** Starts the page. */

import { App, type Phase } from "./app.js";
import { Door } from "./door.js";
import { startInsights } from "./insights.js";
import { listenToKeys } from "./keyboard.js";

declare global {
  interface Window {
    /** For tests and for the curious: what the call is doing. */
    readonly visavis: {
      readonly state: Phase;
      readonly sessionId: string | null;
      readonly pc: RTCPeerConnection | null;
    };
  }
}

const app = new App(new Door(document.baseURI));

Object.defineProperty(window, "visavis", {
  value: Object.freeze({
    get state() {
      return app.phase;
    },
    get sessionId() {
      return app.call?.sessionId ?? null;
    },
    get pc() {
      return app.call?.pc ?? null;
    },
  }),
});

startInsights();
listenToKeys({
  call: () => void app.startCall(),
  mute: () => app.toggleMute(),
  hangUp: () => app.hangUp(),
});
void app.start();
