// Looks: the chat's style sheet, read once for all chats of a page, and again for as long as it does not come.

const AGAIN_AFTER = 3_000;

let sheet = null;

// A chat without it is not shown.
export function looks() {
  sheet ??= read();
  return sheet;
}

async function read() {
  for (;;) {
    try {
      const answer = await fetch(new URL("chat.css", import.meta.url));
      if (answer.ok) {
        const made = new CSSStyleSheet();
        return await made.replace(await answer.text());
      }
    } catch {
      // the network is away, or the server
    }
    await new Promise((done) => setTimeout(done, AGAIN_AFTER));
  }
}
