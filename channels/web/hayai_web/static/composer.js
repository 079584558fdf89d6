// Composer: the field in which the visitor writes.

import { words } from "./words.js";

const NEAR_THE_LIMIT = 0.9;

export class Composer {
  #parts;
  #write;
  #most = Infinity;

  constructor(parts, write) {
    this.#parts = parts;
    this.#write = write;
    parts.field.addEventListener("input", () => this.#changed());
    parts.field.addEventListener("keydown", (event) => this.#key(event));
    parts.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  limit(characters) {
    this.#most = characters;
    this.#changed();
  }

  // Puts a message that was refused back into the field.
  restore(text) {
    const { field } = this.#parts;
    field.value = field.value ? `${text}\n${field.value}` : text;
    this.#changed();
    field.focus();
  }

  #key(event) {
    // Enter that chooses a word of an input method is not the end of the message
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#parts.field.value.trim();
    if (!text || length(text) > this.#most) return;
    this.#parts.field.value = "";
    this.#changed();
    this.#write(text);
    this.#parts.field.focus();
  }

  #changed() {
    const { field, count, send } = this.#parts;
    const used = length(field.value.trim());
    const left = this.#most - used;
    send.disabled = used === 0 || left < 0;
    count.textContent = used < this.#most * NEAR_THE_LIMIT ? "" : left < 0 ? words.over(-left) : words.left(left);
    count.classList.toggle("over", left < 0);
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }
}

// In characters as the server counts them, not in halves of them.
function length(text) {
  return [...text].length;
}
