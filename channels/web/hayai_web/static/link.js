// Link: the socket to the server, opened again whenever it is lost, and the messages that wait for it.
//
// Calls back: state("connecting" | "open" | "waiting" | "offline" | "refused"), welcome, line, piece, received,
// refused(frame).

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 15_000;
const PING_EVERY = 20_000;
const ANSWER_WITHIN = 10_000;

export class Link {
  #address;
  #store;
  #outbox;
  #on;
  #socket = null;
  #failures = 0;
  #timers = new Map();
  #shown = null;
  #conversation = null;
  #after = 0;
  #welcomed = false;
  #onItsWay = null;
  #askedPause = 0; // what the server asks for before the next attempt
  #closed = true;

  constructor(address, store, outbox, on) {
    this.#address = address;
    this.#store = store;
    this.#outbox = outbox;
    this.#on = on;
  }

  start() {
    if (!this.#closed) return;
    this.#closed = false;
    addEventListener("online", this.#hurry);
    addEventListener("offline", this.#lost);
    document.addEventListener("visibilitychange", this.#hurry);
    this.#open();
  }

  stop() {
    this.#closed = true;
    removeEventListener("online", this.#hurry);
    removeEventListener("offline", this.#lost);
    document.removeEventListener("visibilitychange", this.#hurry);
    this.#drop();
  }

  // The position of the last line that came.
  get after() {
    return this.#after;
  }

  // There is a new message in the outbox.
  push() {
    if (this.#welcomed && this.#onItsWay === null && !this.#timers.has("again")) this.#sendHead();
  }

  #open() {
    this.#drop();
    this.#on.state(navigator.onLine ? "connecting" : "offline"); // and tried all the same: browsers can be wrong
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    this.#later("answer", ANSWER_WITHIN, () => this.#lost());
    socket.onopen = () => this.#hello();
    socket.onmessage = (event) => this.#socket === socket && this.#take(event.data);
    socket.onclose = () => this.#socket === socket && this.#lost();
  }

  #hello() {
    this.#shown = this.#store.get("session");
    if (conversationOf(this.#shown) !== this.#conversation) this.#after = 0; // another tab began anew
    this.#outbox.age();
    const pending = this.#outbox.ids.slice(0, 100);
    this.#send({ type: "hello", version: 1, session: this.#shown, after: this.#after, pending });
  }

  #take(data) {
    this.#cancel("answer");
    this.#beat();
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    ({
      welcome: () => this.#welcome(frame),
      line: () => this.#line(frame),
      piece: () => this.#on.piece(frame.text),
      received: () => this.#received(frame),
      refused: () => this.#refused(frame),
    })[frame.type]?.();
  }

  #welcome(frame) {
    const conversation = conversationOf(frame.session);
    if (frame.fresh && this.#store.get("session")) {
      this.#open(); // another tab was greeted at the same moment: join its conversation
      return;
    }
    this.#store.set("session", frame.session);
    frame.fresh = this.#conversation !== null && conversation !== this.#conversation;
    this.#conversation = conversation;
    this.#failures = 0;
    this.#welcomed = true;
    this.#on.welcome(frame);
    this.#on.state("open");
    this.push();
  }

  // Lines come in order and once a socket; two sockets may overlap.
  #line(frame) {
    if (frame.position <= this.#after) return;
    this.#after = frame.position;
    const revived = this.#outbox.revive(frame.say);
    this.#on.line(frame);
    if (revived) this.push();
  }

  #received(frame) {
    this.#outbox.remove(frame.id);
    this.#onItsWay = null;
    this.#on.received(frame);
    this.push();
  }

  #refused(frame) {
    if (frame.code === "session") {
      if (this.#store.get("session") === this.#shown) this.#store.remove("session");
      this.#hello();
      return;
    }
    if (frame.code === "business" || frame.code === "origin") {
      this.#on.refused(frame);
      this.#on.state("refused");
      this.stop();
      return;
    }
    if (frame.id) {
      this.#onItsWay = null;
      if (frame.again === undefined) this.#outbox.remove(frame.id);
    }
    this.#on.refused(frame);
    if (!frame.id && !this.#welcomed) this.#askedPause = (frame.again ?? 0) * 1000;
    else if (frame.again === undefined) this.push();
    else this.#later("again", frame.again * 1000 * (1 + Math.random() / 4), () => this.push());
  }

  #sendHead() {
    const head = this.#outbox.head;
    if (!head) return;
    this.#onItsWay = head.id;
    this.#send({ type: "say", id: head.id, text: head.text });
    this.#later("answer", ANSWER_WITHIN * 2, () => this.#lost());
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  // A connection that died silently is found out by asking.
  #beat() {
    this.#later("beat", PING_EVERY, () => this.#ask());
  }

  #ask() {
    this.#send({ type: "ping" });
    this.#later("answer", ANSWER_WITHIN, () => this.#lost());
  }

  #lost = () => {
    if (this.#closed) return;
    this.#drop();
    this.#failures += 1;
    const pause = Math.max(this.#askedPause, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.#failures - 1)));
    const spread = this.#askedPause ? 1 : 0.5;
    this.#askedPause = 0;
    this.#on.state(navigator.onLine ? "waiting" : "offline");
    this.#later("open", pause * (spread + Math.random()), () => this.#open());
  };

  // The network is back, or the page is looked at again: do not wait for the pause to end, nor trust an old socket.
  #hurry = () => {
    if (this.#closed || document.hidden) return;
    if (!this.#socket) this.#open();
    else if (this.#welcomed) this.#ask();
  };

  #drop() {
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    this.#welcomed = false;
    this.#onItsWay = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  #later(name, milliseconds, then) {
    this.#cancel(name);
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      then();
    }, milliseconds));
  }

  #cancel(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

// A session is TENANT.VISITOR.CONVERSATION.EXPIRY.SIGNATURE.
function conversationOf(session) {
  return session ? session.split(".")[2] : null;
}
