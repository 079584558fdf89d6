// Outbox: what the visitor wrote and the server has not acknowledged; it survives a reload of the page.

const START = "outbox.";
const SENT_WITHIN = 3_600_000;

export class Outbox {
  #store;
  #entries = [];

  constructor(store) {
    this.#store = store;
    this.#entries = store
      .names(START)
      .map((name) => store.get(name))
      .filter((entry) => entry?.id && typeof entry.text === "string")
      .sort((a, b) => a.at - b.at);
  }

  get ids() {
    return this.#entries.map((entry) => entry.id);
  }

  get entries() {
    return [...this.#entries];
  }

  // The message whose turn it is: one is on its way at a time, so that they arrive in order.
  get head() {
    return this.#entries.find((each) => !each.stale);
  }

  // A message belongs to its moment ("tomorrow" is another day by now): what waited for long is not sent unasked.
  age() {
    for (const each of this.#entries) each.stale = Date.now() - each.at > SENT_WITHIN;
  }

  // It is in the transcript already: whether it was passed on from there is not known, so that it is sent again.
  // True where it would not have been.
  revive(id) {
    const entry = this.#entries.find((each) => each.id === id && each.stale);
    if (entry) entry.stale = false;
    return entry !== undefined;
  }

  add(text) {
    const entry = { id: newId(), text, at: Date.now() };
    this.#entries.push(entry);
    this.#store.set(START + entry.id, entry);
    return entry;
  }

  // Returns the message if it was still here.
  remove(id) {
    const entry = this.#entries.find((each) => each.id === id);
    this.#entries = this.#entries.filter((each) => each.id !== id);
    this.#store.remove(START + id);
    return entry;
  }

  clear() {
    for (const id of this.ids) this.remove(id);
  }
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID() is missing on plain http
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
