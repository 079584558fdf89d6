// The one script tag of a home page: loads the chat and puts it in the corner.
//   <script src="https://chat.example/web/widget.js" data-business="smile-dental" async></script>
// Attributes: data-business (needed), data-accent (a colour), data-heading (text), data-open (opens at once).
(() => {
  const script = document.currentScript;
  const base = new URL(".", script.src);

  async function place() {
    await import(new URL("static/chat.js", base).href);
    const business = script.dataset.business;
    if (!business || document.querySelector(`hayai-chat[business="${CSS.escape(business)}"]`)) return;
    const chat = document.createElement("hayai-chat");
    chat.setAttribute("business", business);
    for (const name of ["accent", "heading", "open"]) {
      if (script.dataset[name] !== undefined) chat.setAttribute(name, script.dataset[name]);
    }
    document.body.append(chat);
  }

  if (document.body) place();
  else addEventListener("DOMContentLoaded", place, { once: true });
})();
