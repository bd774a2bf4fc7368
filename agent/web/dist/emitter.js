export class Emitter {
    #listeners = new Map();
    on(name, listener, signal) {
        const listeners = this.#listeners.get(name) ?? new Set();
        this.#listeners.set(name, listeners);
        listeners.add(listener);
        signal?.addEventListener("abort", () => listeners.delete(listener), { once: true });
    }
    emit(name, value) {
        for (const listener of [...(this.#listeners.get(name) ?? [])]) {
            listener(value);
        }
    }
}
