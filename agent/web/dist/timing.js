export function sleep(durationMs, signal) {
    return new Promise((resolve, reject) => {
        if (signal.aborted)
            return reject(signal.reason);
        const stop = () => {
            clearTimeout(timer);
            reject(signal.reason);
        };
        const timer = setTimeout(() => {
            signal.removeEventListener("abort", stop);
            resolve();
        }, durationMs);
        signal.addEventListener("abort", stop, { once: true });
    });
}
export function every(periodMs, action, signal) {
    if (signal.aborted)
        return;
    const timer = setInterval(action, periodMs);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
