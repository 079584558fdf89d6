// Store: what the browser remembers of a chat; where it may not remember, it is kept until the page is left.

const PREFIX = "hayai.";

export class Store {
  #memory = new Map();
  #scope;

  // `scope` keeps the chats of two businesses, or of two servers, on one home page apart.
  constructor(scope) {
    this.#scope = `${PREFIX}${scope}.`;
  }

  get(name) {
    const key = this.#scope + name;
    if (this.#memory.has(key)) return this.#memory.get(key);
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  set(name, value) {
    const key = this.#scope + name;
    try {
      localStorage.setItem(key, JSON.stringify(value));
      this.#memory.delete(key);
    } catch {
      this.#memory.set(key, value);
    }
  }

  remove(name) {
    const key = this.#scope + name;
    this.#memory.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      // it was never there
    }
  }

  // The names that begin with `start`.
  names(start) {
    const keys = new Set(this.#memory.keys());
    try {
      for (let i = 0; i < localStorage.length; i += 1) keys.add(localStorage.key(i));
    } catch {
      // only what is in memory
    }
    const whole = this.#scope + start;
    return [...keys].filter((key) => key.startsWith(whole)).map((key) => key.slice(this.#scope.length));
  }
}
