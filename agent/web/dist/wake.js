export function keepAwake(signal) {
    const wakeLock = navigator.wakeLock;
    let lock;
    const ask = async () => {
        if (document.hidden || signal.aborted)
            return;
        lock = await wakeLock?.request("screen").catch(() => undefined);
        if (signal.aborted)
            await lock?.release();
    };
    document.addEventListener("visibilitychange", () => void ask(), { signal });
    signal.addEventListener("abort", () => void lock?.release(), { once: true });
    void ask();
}
