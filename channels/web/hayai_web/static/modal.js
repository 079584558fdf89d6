// Modal: on a small screen, or a page that is much enlarged, the panel covers all, and Tab stays within it.

const COVERING = matchMedia("(max-width: 480px), (max-height: 460px)"); // as chat.css has it

// `root` is the shadow root that the panel stands in.
export function keepFocus(panel, root) {
  const tell = () => (COVERING.matches ? panel.setAttribute("aria-modal", "true") : panel.removeAttribute("aria-modal"));
  COVERING.addEventListener("change", tell);
  tell();
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || !COVERING.matches) return;
    const stops = [...panel.querySelectorAll("button, textarea, [tabindex]")].filter(
      (each) => !each.disabled && each.offsetParent !== null,
    );
    const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    if (root.activeElement !== from) return;
    event.preventDefault();
    to.focus();
  });
}
