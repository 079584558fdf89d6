// <hayai-chat business="smile-dental">: the chat of a business, in the corner of a page or, with `inline`, in its flow.
// Further attributes: server (the address of the chat's server; by default where this file comes from), accent (a
// colour), heading (text), open. Colours, font and size are custom properties, see chat.css.

import { Composer } from "./composer.js";
import { icon, isBright, make } from "./elements.js";
import { Link } from "./link.js";
import { looks } from "./looks.js";
import { keepFocus } from "./modal.js";
import { Outbox } from "./outbox.js";
import { Store } from "./store.js";
import { Transcript } from "./transcript.js";
import { words } from "./words.js";

const HERE = new URL("..", import.meta.url);
const SLOW_AFTER = 25_000;
const STATE_AFTER = 600;

class HayaiChat extends HTMLElement {
  static observedAttributes = ["accent"];

  #root = this.attachShadow({ mode: "open" });
  #parts = null;
  #link = null;
  #outbox = null;
  #transcript = null;
  #composer = null;
  #catchingUpTo = Infinity;
  #awaiting = false;
  #unread = 0;
  #slow = 0;
  #stateTimer = 0;
  #opener = null;
  #turnedAway = ""; // why the server does not let us in just now

  async connectedCallback() {
    if (!this.#parts) {
      this.#root.adoptedStyleSheets = [await looks()];
      if (!this.isConnected || this.#parts) return;
      if (!this.lang) this.lang = "en"; // our words are, whatever the home page speaks
      this.#build();
      this.attributeChangedCallback();
    }
    this.#link.start();
  }

  disconnectedCallback() {
    this.#link?.stop();
  }

  attributeChangedCallback() {
    const accent = this.getAttribute("accent");
    if (!accent) return;
    this.style.setProperty("--hayai-accent", accent);
    this.toggleAttribute("data-bright", isBright(accent));
  }

  get #inline() {
    return this.hasAttribute("inline");
  }

  #build() {
    const business = this.getAttribute("business") ?? "";
    const server = new URL(this.getAttribute("server") ?? HERE, location.href);
    const store = new Store(`${server.host}.${business}`);
    const address = new URL(`socket/${encodeURIComponent(business)}`, server);
    address.protocol = address.protocol.replace("http", "ws");
    this.#outbox = new Outbox(store);
    this.#parts = this.#layout();
    this.#transcript = new Transcript(this.#parts.log);
    this.#composer = new Composer(this.#parts, (text) => this.#write(text));
    this.#link = new Link(address, store, this.#outbox, {
      state: (state) => this.#state(state),
      welcome: (frame) => this.#welcome(frame),
      line: (frame) => this.#line(frame),
      piece: (text) => this.#piece(text),
      received: (frame) => this.#received(frame),
      refused: (frame) => this.#refused(frame),
    });
    if (this.#inline) return;
    keepFocus(this.#parts.panel, this.#root);
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.#close());
    this.#parts.launcher.addEventListener("click", () => (this.hasAttribute("open") ? this.#close() : this.#open()));
    this.#parts.close.addEventListener("click", () => this.#close());
    visualViewport?.addEventListener("resize", () => this.#fit());
    this.#show();
  }

  #layout() {
    const heading = make("h2", { id: "heading" }, this.getAttribute("heading") ?? words.heading);
    const presence = make("p", { class: "presence" });
    const close = make("button", { type: "button", class: "close", "aria-label": words.close }, icon("close"));
    const header = make("header", {}, make("div", {}, heading, presence), close);
    const state = make("p", { class: "connection", hidden: true });
    const log = make("div", { role: "log", "aria-live": "polite", "aria-label": words.transcript, tabindex: "0" });
    const status = make("p", { role: "status", class: "unseen" });
    const choices = make("div", { class: "choices", role: "group", "aria-label": words.choices, hidden: true });
    const field = make("textarea", {
      id: "field", rows: "1", placeholder: words.placeholder, autocomplete: "off", enterkeyhint: "send",
    });
    const label = make("label", { for: "field", class: "unseen" }, words.label);
    const count = make("span", { class: "count", "aria-live": "polite" });
    const send = make("button", { type: "submit", "aria-label": words.send, disabled: true }, icon("send"));
    const form = make("form", { novalidate: true }, label, field, count, send);
    const role = this.#inline ? { role: "region" } : { role: "dialog", id: "panel" };
    const panel = make("section", { class: "panel", "aria-labelledby": "heading", ...role });
    panel.append(header, state, log, status, choices, form);
    const badge = make("span", { class: "badge", hidden: true });
    const launcher = make("button", { type: "button", class: "launcher", "aria-controls": "panel" });
    launcher.append(icon("chat"), icon("close"), badge);
    this.#root.append(panel, ...(this.#inline ? [] : [launcher]));
    return { heading, presence, close, state, log, status, choices, field, count, send, form, panel, badge, launcher };
  }

  // --- opening and closing -----------------------------------------------------------------------------------

  #open() {
    this.#opener = document.activeElement;
    this.setAttribute("open", "");
    this.#unread = 0;
    this.#show();
    this.#parts.field.focus();
    this.#transcript.end();
  }

  #close() {
    if (!this.hasAttribute("open")) return;
    this.removeAttribute("open");
    this.#show();
    (this.#opener instanceof HTMLElement && this.#opener !== this && this.#opener !== document.body
      ? this.#opener
      : this.#parts.launcher
    ).focus();
  }

  #show() {
    const { launcher, panel, badge } = this.#parts;
    const open = this.hasAttribute("open");
    panel.hidden = !open;
    launcher.setAttribute("aria-expanded", String(open));
    const news = this.#unread ? `, ${words.unread(this.#unread)}` : "";
    launcher.setAttribute("aria-label", (open ? words.close : words.open) + news);
    badge.hidden = !this.#unread;
    badge.textContent = this.#unread;
    this.#fit();
  }

  // A phone's keyboard covers the page without telling it: the panel takes what is left.
  #fit() {
    if (visualViewport) this.style.setProperty("--hayai-visible", `${visualViewport.height}px`);
  }

  // --- what the server says ----------------------------------------------------------------------------------

  #welcome(frame) {
    if (frame.fresh) {
      this.#transcript.clear();
      this.#transcript.note(words.anew);
    }
    this.#catchingUpTo = frame.position;
    this.#transcript.quiet(); // pieces may have been missed: what grew would go on with a gap
    if (this.#awaiting) this.#await(true);
    this.#transcript.busy(true);
    this.#transcript.name(frame.business);
    this.#parts.presence.textContent = frame.business;
    this.#transcript.greet(frame.greeting);
    this.#composer.limit(frame.message_length);
    if (this.#link.after >= frame.position) this.#caughtUp();
  }

  #line(frame) {
    this.#transcript.line(frame);
    const answered = frame.speaker !== "customer";
    this.#await(!answered);
    this.#offer(answered ? frame.choices : []);
    if (frame.position < this.#catchingUpTo) return;
    if (frame.position === this.#catchingUpTo) this.#caughtUp();
    else if (answered && !this.#inline && !this.hasAttribute("open")) {
      this.#unread += 1;
      this.#show();
    }
  }

  #caughtUp() {
    for (const entry of this.#outbox.entries) {
      this.#transcript.write(entry);
      if (entry.stale) this.#transcript.failed(entry.id, words.stale, () => this.#rewrite(entry));
    }
    // one moment later, so that the lines just read are not announced
    setTimeout(() => this.#transcript.busy(false), 100);
    this.#transcript.end();
  }

  #piece(text) {
    if (!this.#awaiting) return; // it came late: its line is here
    this.#transcript.piece(text);
  }

  #received({ id }) {
    this.#transcript.sent(id);
  }

  #refused({ id, reason, again }) {
    if (id === undefined) {
      this.#parts.status.textContent = reason;
      this.#turnedAway = again === undefined ? "" : reason;
      this.#tell(reason);
    } else if (again === undefined) {
      const text = this.#transcript.textOf(id);
      this.#transcript.failed(id, reason, () => this.#composer.restore(text));
    } else {
      this.#tell(reason, again);
    }
  }

  // --- what the visitor does ---------------------------------------------------------------------------------

  #write(text) {
    const entry = this.#outbox.add(text);
    this.#offer([]);
    this.#transcript.write(entry);
    this.#link.push();
  }

  #rewrite(entry) {
    this.#outbox.remove(entry.id);
    this.#composer.restore(entry.text);
  }

  #offer(choices) {
    const { choices: group, field, log } = this.#parts;
    const held = group.contains(this.#root.activeElement);
    group.replaceChildren(
      ...choices.map((text) => {
        const button = make("button", { type: "button" }, text);
        button.addEventListener("click", (event) => {
          this.#write(text);
          // a keyboard goes on in the field; on a phone that would cover the answer
          if (event.detail === 0 || matchMedia("(pointer: fine)").matches) field.focus();
          else log.focus();
        });
        return button;
      }),
    );
    group.hidden = choices.length === 0;
    if (held && choices.length === 0) field.focus();
  }

  // --- what is going on --------------------------------------------------------------------------------------

  #await(is) {
    this.#awaiting = is;
    clearTimeout(this.#slow);
    if (!is) {
      this.#transcript.quiet();
      this.#parts.status.textContent = "";
      return;
    }
    this.#transcript.typing();
    this.#parts.status.textContent = words.typing(this.#parts.presence.textContent);
    this.#slow = setTimeout(() => {
      this.#transcript.quiet();
      this.#transcript.note(words.slow);
    }, SLOW_AFTER);
  }

  #state(state) {
    clearTimeout(this.#stateTimer);
    this.dataset.state = state;
    if (state === "open") this.#tell((this.#turnedAway = ""));
    else if (state === "waiting" || state === "connecting") {
      if (this.#turnedAway) return;
      // a short break is not worth a word
      this.#stateTimer = setTimeout(() => this.#tell(words.states[this.dataset.state]), STATE_AFTER);
    } else this.#tell(words.states[state]);
  }

  // The banner over the transcript; gone after `seconds` where they are given.
  #tell(text, seconds) {
    const { state } = this.#parts;
    state.textContent = text ?? "";
    state.hidden = !text;
    if (text) this.#parts.status.textContent = text;
    if (seconds) this.#stateTimer = setTimeout(() => this.#tell(""), seconds * 1000);
  }
}

if (!customElements.get("hayai-chat")) customElements.define("hayai-chat", HayaiChat);
