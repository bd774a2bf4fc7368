import { byId, make } from "./dom.js";
const FOLLOW_PX = 60;
export class Captions {
    #list = byId("captions");
    #scroller = byId("captions-scroll");
    #announcer = byId("announcer");
    #items = new Map();
    #agentName = "";
    #isFollowing = true;
    constructor(transcript) {
        transcript.on("change", (line) => this.#draw(line));
        transcript.on("remove", (line) => this.#remove(line));
        transcript.on("done", (line) => this.announce(this.#spoken(line)));
        this.#scroller.addEventListener("scroll", () => (this.#isFollowing = this.#leftPx() < FOLLOW_PX));
        new ResizeObserver(() => this.#follow(() => undefined)).observe(this.#scroller);
    }
    handlePersona(name, language) {
        this.#agentName = name;
        this.#list.lang = language;
    }
    handleThinking(isThinking) {
        this.#follow(() => byId("thinking").toggleAttribute("hidden", !isThinking));
    }
    announce(text) {
        this.#announcer.textContent = text;
    }
    #draw(line) {
        this.#follow(() => {
            const item = this.#items.get(line.key) ?? this.#add(line);
            item.classList.toggle("live", line.isLive);
            item.classList.toggle("failed", line.hasFailed);
            const words = make("p", "words", line.text);
            if (line.isCut)
                words.append(...this.#cutOff(line));
            if (line.hasFailed)
                words.append(" ", make("span", "tag", "not sent"));
            item.querySelector(".words")?.replaceWith(words);
        });
    }
    #add(line) {
        const item = make("li", `line ${line.role}`);
        const who = { user: "You", agent: this.#agentName, note: "" }[line.role];
        if (who)
            item.append(make("span", "who", who));
        item.append(make("p", "words"));
        this.#items.set(line.key, item);
        this.#list.append(item);
        byId("captions-empty").hidden = true;
        return item;
    }
    #cutOff(line) {
        const tag = make("span", "tag", "cut off");
        return line.unheard ? [" ", make("s", "unheard", line.unheard), " ", tag] : [" ", tag];
    }
    #remove(line) {
        this.#items.get(line.key)?.remove();
        this.#items.delete(line.key);
        byId("captions-empty").hidden = this.#items.size > 0;
    }
    #spoken(line) {
        const who = { user: "You: ", agent: `${this.#agentName}: `, note: "" }[line.role];
        return `${who}${line.text}${line.isCut ? " (cut off)" : ""}`;
    }
    #follow(change) {
        change();
        if (this.#isFollowing)
            this.#scroller.scrollTop = this.#scroller.scrollHeight;
    }
    #leftPx() {
        const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
        return scrollHeight - scrollTop - clientHeight;
    }
}
