/** Waiting that ends with its signal. */

export function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, durationMs);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Calls `action` every `periodMs` until the signal ends it. */
export function every(periodMs: number, action: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  const timer = setInterval(action, periodMs);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
