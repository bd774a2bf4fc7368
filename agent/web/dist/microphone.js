import { Problem } from "./problem.js";
import { every } from "./timing.js";
const METER_MS = 100;
const QUIET_DB = -54;
const LOUD_DB = -14;
export async function openMicrophone(deviceId) {
    const devices = navigator.mediaDevices;
    if (!devices?.getUserMedia)
        throw Problem.insecure();
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    if (deviceId)
        audio.deviceId = { exact: deviceId };
    try {
        const stream = await devices.getUserMedia({ audio, video: false });
        const track = stream.getAudioTracks()[0];
        if (!track)
            throw Problem.micMissing();
        return track;
    }
    catch (cause) {
        if (cause instanceof Problem)
            throw cause;
        const name = cause instanceof DOMException ? cause.name : "";
        if (name === "OverconstrainedError" && deviceId)
            return openMicrophone(null);
        if (name === "NotAllowedError" || name === "SecurityError")
            throw Problem.micDenied();
        if (name === "NotFoundError" || name === "OverconstrainedError")
            throw Problem.micMissing();
        throw Problem.micBusy();
    }
}
export function meterMicrophone(track, show, signal) {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
        const db = 10 * Math.log10(power + 1e-12);
        show(Math.min(1, Math.max(0, (db - QUIET_DB) / (LOUD_DB - QUIET_DB))));
    };
    every(METER_MS, look, signal);
    signal.addEventListener("abort", () => (show(0), void context.close()), { once: true });
}
