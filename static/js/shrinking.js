// Mail wider than its frame is shrunk until it fits, and one press shows it at full size. What
// would be too small to read then is left at full size and scrolled within the frame.

const NARROW = 720; // pixels of the window: one column
// Of full size: 800 pixels fit a phone of 390, as its owner holds it closer than a desk's screen.
const LEAST = { narrow: 0.4, wide: 0.75 };
const widths = new WeakMap(); // part -> the frame's width it was last shrunk for

const partsOf = (page) => [...page.querySelectorAll(".signet-part")];
const footOf = (frame) => {
  const next = frame.nextElementSibling;
  return next?.matches(".frame-foot") ? next : null;
};

/** Shrink the parts of the frame's mail to its width; offers full size where that did anything. */
export function shrink(frame) {
  const foot = footOf(frame);
  const isOnPaper = document.documentElement.classList.contains("is-printing");
  const isFull = !isOnPaper && foot?.querySelector("button").getAttribute("aria-pressed") === "true";
  let isShrunk = false;
  for (const part of partsOf(frame.contentDocument)) {
    if (widths.get(part) !== frame.clientWidth || isFull) part.style.zoom = "";
    widths.set(part, frame.clientWidth);
    if (!isFull && part.scrollWidth > part.clientWidth + 1) {
      const least = window.innerWidth < NARROW ? LEAST.narrow : LEAST.wide;
      const size = Number(part.style.zoom || 1) * (part.clientWidth / part.scrollWidth);
      part.style.zoom = size < least ? "" : Math.floor(size * 1000) / 1000;
    }
    isShrunk ||= part.style.zoom !== "";
  }
  if (foot) foot.hidden = !isShrunk && !isFull;
}

/** Full size and back by the button under the frame; `fit` gives the frame its height. */
export function offerFullSize(frame, fit) {
  const button = footOf(frame)?.querySelector("button");
  button?.addEventListener("click", () => {
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    fit();
  });
}

/**
 * On paper a frame is one piece, which begins on a new page when the rest of this one is too short
 * for it. What stands out of the flow does not: its foot keeps the place for it.
 */
export function standOnPaper(frame, isOnPaper) {
  const foot = footOf(frame);
  if (!foot) return;
  if (isOnPaper) foot.hidden = false;
  foot.classList.toggle("is-place", isOnPaper);
  foot.style.height = isOnPaper ? frame.style.height : "";
}
