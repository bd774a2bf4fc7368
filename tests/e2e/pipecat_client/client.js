/** A page that calls with pipecat's own client and keeps what it tells in `window.told`. */

import { PipecatClient } from "@pipecat-ai/client-js";
import { SmallWebRTCTransport, WavMediaManager } from "@pipecat-ai/small-webrtc-transport";

const told = (window.told = []);
const tell = (what) => (data) => told.push({ what, data });
const video = document.querySelector("video");

function onTrackStarted(track, participant) {
  told.push({ what: "trackStarted", data: { kind: track.kind, local: participant?.local ?? false } });
  if (participant?.local) return;
  const stream = video.srcObject ?? new MediaStream();
  stream.addTrack(track);
  video.srcObject = stream;
}

const client = (window.client = new PipecatClient({
  // The default media manager fetches a script from its vendor when it runs.
  transport: new SmallWebRTCTransport({ mediaManager: new WavMediaManager() }),
  enableMic: true,
  enableCam: false,
  callbacks: {
    onTrackStarted,
    onTransportStateChanged: tell("state"),
    onBotReady: tell("botReady"),
    onBotStartedSpeaking: tell("botStartedSpeaking"),
    onBotStoppedSpeaking: tell("botStoppedSpeaking"),
    onUserStartedSpeaking: tell("userStartedSpeaking"),
    onUserStoppedSpeaking: tell("userStoppedSpeaking"),
    onUserTranscript: tell("userTranscript"),
    onBotOutput: tell("botOutput"),
    onBotTtsText: tell("botTtsText"),
    onBotLlmText: tell("botLlmText"),
    onServerMessage: tell("serverMessage"),
    onMessageError: tell("messageError"),
    onError: tell("error"),
    onBotDisconnected: tell("botDisconnected"),
    onDisconnected: tell("disconnected"),
  },
}));

document.querySelector("#connect").onclick = () =>
  client.connect({ webrtcRequestParams: { endpoint: `${window.server}/api/offer` } }).catch(tell("failed"));
document.querySelector("#start").onclick = () =>
  client
    .startBotAndConnect({ endpoint: `${window.server}/start`, requestData: { body: { persona: { id: "dana-buyer" } } } })
    .catch(tell("failed"));
