import { Problem } from "./problem.js";
export class Door {
    base;
    constructor(base) {
        this.base = base;
    }
    async personas(signal) {
        const reply = await this.#fetch("v1/personas", { signal });
        return (await reply.json()).data;
    }
    async engines(signal) {
        const reply = await this.#fetch("v1/engines", { signal });
        return (await reply.json()).engines;
    }
    async createSession(personaId, signal) {
        const body = JSON.stringify({ persona: { id: personaId } });
        const headers = { "Content-Type": "application/json" };
        const reply = await this.#fetch("v1/sessions", { method: "POST", body, headers, signal });
        return (await reply.json());
    }
    async offer(grant, sdp, signal) {
        const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${grant.token}` };
        const reply = await this.#fetch(this.#sameOrigin(grant.webrtc_url), { method: "POST", body: sdp, headers, signal });
        return reply.text();
    }
    async endSession(grant) {
        const headers = { Authorization: `Bearer ${grant.token}` };
        try {
            await fetch(this.#url(`v1/sessions/${encodeURIComponent(grant.id)}`), {
                method: "DELETE",
                headers,
                keepalive: true,
            });
        }
        catch {
        }
    }
    posterUrl(persona) {
        return this.#sameOrigin(persona.face?.poster_url || `v1/personas/${encodeURIComponent(persona.id)}/portrait.png`);
    }
    #url(path) {
        return new URL(path, this.base).href;
    }
    #sameOrigin(url) {
        const named = new URL(url, this.base);
        return named.origin === new URL(this.base).origin ? named.href : this.#url(`.${named.pathname}${named.search}`);
    }
    async #fetch(path, init) {
        let reply;
        try {
            reply = await fetch(this.#url(path), { ...init, signal: init.signal ?? null, cache: "no-store" });
        }
        catch (cause) {
            if (init.signal?.aborted)
                throw cause;
            throw Problem.serverGone();
        }
        if (!reply.ok)
            throw await problemOf(reply);
        return reply;
    }
}
async function problemOf(reply) {
    const error = await wireErrorOf(reply);
    const said = error?.message ?? "";
    const retryAfterS = error?.retry_after_s ?? (Number(reply.headers.get("Retry-After")) || undefined);
    if (error?.code === "not_ready")
        return Problem.warming({ retryAfterS });
    if (reply.status === 429 || (reply.status === 503 && error))
        return Problem.busy({ retryAfterS });
    if (reply.status === 401 || reply.status === 403)
        return Problem.unauthorized({ said });
    if (error?.code === "persona_not_found")
        return Problem.personaGone();
    if (reply.status === 404 || reply.status === 410)
        return Problem.sessionGone();
    if (reply.status >= 502)
        return Problem.serverGone();
    if (reply.status >= 500)
        return Problem.serverError({ said });
    return Problem.offerRefused({ said });
}
async function wireErrorOf(reply) {
    try {
        return (await reply.json()).error;
    }
    catch {
        return undefined;
    }
}
