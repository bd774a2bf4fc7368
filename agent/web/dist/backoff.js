const STEPS_MS = [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000];
const JITTER = 0.2;
export function waitMs(attempt, elapsedMs, limitMs, random) {
    const left = limitMs - elapsedMs;
    if (left <= 0)
        return undefined;
    const step = STEPS_MS[Math.min(attempt, STEPS_MS.length - 1)] ?? 0;
    return Math.min(left, step * (1 + JITTER * (2 * random - 1)));
}
