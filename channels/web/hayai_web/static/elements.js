// Elements: the small builders of what the chat shows; text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  chat: ["M4 5.5h16v10.5H10l-4.5 3.5V16H4z"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  send: ["M5 12h13", "M12.5 6l6 6-6 6"],
  clock: ["M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z", "M12 8.5V12l2.5 2"],
  tick: ["M5 12.5l4.5 4.5L19 7.5"],
  warning: ["M12 5v9", "M12 18v.5"],
};

// An element with attributes and children; a string among the children becomes text.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A line drawing of 24 by 24 units, hidden from screen readers.
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  for (const shape of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

// Whether black can be read on that colour better than white; WCAG 2.2, relative luminance. False for what is no colour.
export function isBright(colour) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = "#000";
  context.fillStyle = colour;
  const channels = /^#(..)(..)(..)$/.exec(context.fillStyle)?.slice(1) ?? ["0", "0", "0"];
  const [red, green, blue] = channels.map((each) => {
    const value = parseInt(each, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18;
}
