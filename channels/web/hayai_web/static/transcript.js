// Transcript: the lines as bubbles, in the order of their positions; what is not acknowledged yet stands at the end.

import { icon, make } from "./elements.js";
import { words } from "./words.js";

const NEAR_THE_END = 80;

export class Transcript {
  #log;
  #own = new Map(); // the browser's id -> the bubble of a message sent from here
  #growing = null;
  #typing = null;
  #lastDay = "";
  #agent = "";
  #following = true; // a visitor who scrolled up to read is left there

  constructor(log) {
    this.#log = log;
    log.addEventListener("scroll", () => {
      this.#following = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_THE_END;
    });
    new ResizeObserver(() => this.#follow()).observe(log); // suggested answers and keyboards take room from it
  }

  name(agent) {
    this.#agent = agent;
  }

  clear() {
    this.#log.replaceChildren();
    this.#own.clear();
    this.#growing = this.#typing = null;
    this.#lastDay = "";
  }

  // While older lines are being read, a screen reader is not told each of them.
  busy(is) {
    this.#log.setAttribute("aria-busy", is ? "true" : "false");
  }

  greet(text) {
    if (!text || this.#log.querySelector(".greeting")) return;
    this.#log.prepend(this.#bubble("agent", text, null, "greeting"));
  }

  note(text) {
    this.#place(make("p", { class: "note" }, text));
    this.#follow();
  }

  line({ speaker, text, at, say, position }) {
    const own = say === undefined ? null : this.#own.get(say);
    const grown = this.#growing !== null;
    if (speaker !== "customer") this.quiet();
    if (own) {
      own.dataset.position = position;
      this.#place(own, this.#pending()[0]); // before those that still wait
    } else {
      this.#said(speaker, text, new Date(at), { say, position, grown });
    }
    this.#follow();
  }

  #said(speaker, text, at, { say, position, grown }) {
    const bubble = this.#bubble(speaker, text, at, grown ? "grown" : "");
    bubble.dataset.position = position;
    this.#place(this.#day(at), this.#pending()[0]);
    this.#place(bubble, this.#pending()[0]);
    if (say !== undefined) {
      this.#own.set(say, bubble);
      this.#mark(bubble, "sending", "clock"); // recorded, not acknowledged: it is on its way once more
    } else if (speaker === "customer") this.#mark(bubble, "sent", "tick");
  }

  // A message written here; it shows at once.
  write({ id, text, at }) {
    if (this.#own.has(id)) return;
    const bubble = this.#bubble("customer", text, new Date(at));
    this.#own.set(id, bubble);
    this.#place(this.#day(new Date(at)));
    this.#place(bubble);
    this.#mark(bubble, "sending", "clock");
    this.end();
  }

  sent(id) {
    const bubble = this.#own.get(id);
    if (bubble) this.#mark(bubble, "sent", "tick");
  }

  textOf(id) {
    return this.#own.get(id)?.querySelector(".text").textContent ?? "";
  }

  // The message was refused for good; `edit` is called when the visitor wants it back.
  failed(id, reason, edit) {
    const bubble = this.#own.get(id);
    if (!bubble || bubble.dataset.state === "failed") return;
    this.#mark(bubble, "failed", "warning");
    const button = make("button", { type: "button", class: "again" }, words.again);
    button.addEventListener("click", () => {
      bubble.remove();
      this.#own.delete(id);
      edit();
    });
    bubble.append(make("p", { class: "reason" }, reason, " ", button));
    this.end();
  }

  // The answer as far as it is made; the line that follows takes its place.
  piece(text) {
    if (!this.#growing) {
      this.#typing?.remove();
      this.#typing = null;
      this.#growing = this.#bubble("agent", "", null, "growing");
      this.#growing.setAttribute("aria-hidden", "true"); // read out once, when it is whole
      this.#log.append(this.#growing);
    }
    this.#growing.querySelector(".text").textContent += text;
    this.#follow();
  }

  typing() {
    if (this.#growing || this.#typing) return;
    const dots = make("span", { class: "dots" }, make("i"), make("i"), make("i"));
    this.#typing = make("div", { class: "bubble agent typing", "aria-hidden": "true" }, dots);
    this.#log.append(this.#typing);
    this.#follow();
  }

  quiet() {
    this.#typing?.remove();
    this.#growing?.remove();
    this.#typing = this.#growing = null;
  }

  end() {
    this.#following = true;
    this.#follow();
  }

  #bubble(speaker, text, at, kind = "") {
    const who = { customer: words.you, staff: words.staff }[speaker] ?? this.#agent;
    const bubble = make("div", { class: `bubble ${speaker} ${kind}`.trim() });
    bubble.append(make("span", { class: "unseen" }, `${who}: `), make("p", { class: "text", dir: "auto" }, text));
    const meta = make("span", { class: "meta" });
    if (at) meta.append(make("time", { datetime: at.toISOString() }, clock(at)));
    bubble.append(meta);
    return bubble;
  }

  #mark(bubble, state, drawing) {
    bubble.dataset.state = state;
    bubble.querySelector(".state")?.remove();
    const told = make("span", { class: "unseen" }, ` ${words[state]}`);
    bubble.querySelector(".meta").append(make("span", { class: "state", title: words[state] }, icon(drawing), told));
  }

  // A separator where a new day begins, else nothing.
  #day(at) {
    const day = at.toDateString();
    if (day === this.#lastDay) return null;
    this.#lastDay = day;
    return make("p", { class: "day" }, dayName(at));
  }

  #pending() {
    return [...this.#own.values()].filter((bubble) => bubble.isConnected && bubble.dataset.position === undefined);
  }

  // Before `next`, else at the end, but never behind what is still growing.
  #place(element, next) {
    if (!element) return;
    const before = next ?? this.#growing ?? this.#typing;
    // what stands there already is let be: put in anew, it would move and be read out once more
    if (element.parentNode !== this.#log || element.nextSibling !== before) this.#log.insertBefore(element, before);
  }

  #follow() {
    if (this.#following) this.#log.scrollTop = this.#log.scrollHeight;
  }
}

function clock(at) {
  return at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

function dayName(at) {
  const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(Date.now()) - midnight(at)) / 86_400_000);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  return at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}
