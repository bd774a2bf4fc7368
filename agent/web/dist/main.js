import { App } from "./app.js";
import { Door } from "./door.js";
import { startInsights } from "./insights.js";
import { listenToKeys } from "./keyboard.js";
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
