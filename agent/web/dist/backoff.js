/** When to try again after a break: pure numbers, so that a test can read them. */
// The schedule of the API's client life cycle, with its 20 % of jitter.
const STEPS_MS = [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000];
const JITTER = 0.2;
/**
 * How long to wait before try `attempt` (from 0), `elapsedMs` after the break.
 *
 * @param random A number in [0, 1), which spreads the tries of many pages.
 * @returns Milliseconds, or undefined when the time is used up. The last try falls on the limit itself.
 */
export function waitMs(attempt, elapsedMs, limitMs, random) {
    const left = limitMs - elapsedMs;
    if (left <= 0)
        return undefined;
    const step = STEPS_MS[Math.min(attempt, STEPS_MS.length - 1)] ?? 0;
    return Math.min(left, step * (1 + JITTER * (2 * random - 1)));
}
