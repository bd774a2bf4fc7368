/** Keeps the screen on while somebody is being looked at, where the browser can. */

export function keepAwake(signal: AbortSignal): void {
  // Undefined outside https and localhost, whatever the types say.
  const wakeLock = navigator.wakeLock as WakeLock | undefined;
  let lock: WakeLockSentinel | undefined;
  const ask = async (): Promise<void> => {
    if (document.hidden || signal.aborted) return;
    // Refused on a low battery: the call goes on without.
    lock = await wakeLock?.request("screen").catch(() => undefined);
    if (signal.aborted) await lock?.release();
  };
  // The browser lets go whenever the page is hidden.
  document.addEventListener("visibilitychange", () => void ask(), { signal });
  signal.addEventListener("abort", () => void lock?.release(), { once: true });
  void ask();
}
