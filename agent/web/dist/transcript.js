import { Emitter } from "./emitter.js";
export class Transcript extends Emitter {
    #lines = new Map();
    #notes = 0;
    get lines() {
        return [...this.#lines.values()];
    }
    clear() {
        for (const line of this.lines)
            this.#remove(line);
    }
    handleTyped(text, eventId) {
        this.#update(this.#line(eventId, "user"), { text, isLive: true });
    }
    handleNote(text) {
        const line = this.#line(`note-${++this.#notes}`, "note");
        this.#update(line, { text });
        this.emit("done", line);
    }
    handleServerEvent(event) {
        switch (event.type) {
            case "session.resumed":
                return this.#resume(event.transcript);
            case "conversation.item.input_audio_transcription.delta":
                return this.#update(this.#line(event.item_id, "user"), { text: event.delta, isLive: true });
            case "conversation.item.input_audio_transcription.completed":
                return this.#heardUser(event.item_id, event.transcript, event.typed);
            case "response.output_audio_transcript.delta": {
                const line = this.#line(event.response_id, "agent");
                return this.#update(line, { text: joinWords(line.text, event.delta), isLive: true });
            }
            case "response.output_audio_transcript.done":
                return this.#heardAgent(event.response_id, event.transcript, event.unheard);
            case "response.done":
                return this.#answered(event.response_id, event.heard_text, event.error?.message);
            case "warning":
                return this.handleNote(event.message);
            case "error":
                return this.#refused(event.error.message, event.error.event_id);
        }
    }
    handleEnd() {
        for (const line of this.lines)
            if (line.isLive)
                this.#update(line, { isLive: false });
    }
    #heardUser(itemId, text, isTyped) {
        const waiting = this.lines.find((line) => line.role === "user" && line.isLive && line.text === text);
        const line = isTyped && waiting ? waiting : this.#line(itemId, "user");
        if (!text.trim())
            return this.#remove(line);
        this.#update(line, { text, isLive: false });
        if (!isTyped)
            this.emit("done", line);
    }
    #heardAgent(responseId, heard, unheard) {
        const line = this.#line(responseId, "agent");
        if (!heard.trim() && !unheard.trim())
            return this.#remove(line);
        this.#update(line, { text: heard, unheard, isCut: unheard.trim() !== "", isLive: false });
        this.emit("done", line);
    }
    #answered(responseId, heard, fault) {
        const line = this.#lines.get(responseId);
        if (line?.isLive)
            this.#update(line, { text: heard || line.text, isLive: false });
        if (fault)
            this.handleNote(fault);
    }
    #refused(message, eventId) {
        const line = eventId ? this.#lines.get(eventId) : undefined;
        if (line)
            this.#update(line, { hasFailed: true, isLive: false });
        this.handleNote(message);
    }
    #resume(lines) {
        const known = this.lines.filter((line) => line.role !== "note");
        const isSame = ({ role, text }, at) => known[at]?.role === role && known[at].text === text;
        const kept = lines.findIndex((line, at) => !isSame(line, at));
        const first = kept === -1 ? lines.length : kept;
        for (const line of known.slice(first))
            this.#remove(line);
        for (const [at, { role, text, cut }] of lines.entries()) {
            if (at >= first)
                this.#update(this.#line(`resumed-${at}-${text.length}`, role), { text, isCut: cut });
        }
    }
    #line(key, role) {
        const known = this.#lines.get(key);
        if (known)
            return known;
        const line = { key, role, text: "", unheard: "", isCut: false, isLive: false, hasFailed: false };
        this.#lines.set(key, line);
        return line;
    }
    #update(line, change) {
        Object.assign(line, change);
        this.emit("change", line);
    }
    #remove(line) {
        this.#lines.delete(line.key);
        this.emit("remove", line);
    }
}
export function joinWords(text, word) {
    const needsSpace = text !== "" && !/\s$/.test(text) && !/^[\s.,;:!?…)\]’”%]/.test(word);
    return needsSpace ? `${text} ${word}` : text + word;
}
