// The only ways text becomes markup in the composer: washed, or ours.

import DOMPurify from "dompurify";

const EDITOR = {
  ALLOWED_TAGS: ["a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "i", "li", "ol", "p", "pre", "s", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul", "del"],
  ALLOWED_ATTR: ["href", "colspan", "rowspan", "dir", "lang"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

/** Wash what is pasted, dropped or loaded into the editor. */
export const washed = (html) => DOMPurify.sanitize(html, { ...EDITOR, RETURN_DOM_FRAGMENT: true });

// The editor's undo writes markup it kept itself; the page's Trusted Types send it through here.
// Its markers are hidden inputs with an id.
const UNDO = {
  ...EDITOR,
  ALLOWED_TAGS: [...EDITOR.ALLOWED_TAGS, "input"],
  ALLOWED_ATTR: [...EDITOR.ALLOWED_ATTR, "id", "type"],
};

let ours = { createHTML: (html) => html };
if (window.trustedTypes) {
  ours = trustedTypes.createPolicy("signet-composer", { createHTML: (html) => html });
  if (!trustedTypes.defaultPolicy) {
    trustedTypes.createPolicy("default", { createHTML: (html) => DOMPurify.sanitize(html, UNDO) });
  }
}

/** Parse a fragment that this server rendered. */
export function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = ours.createHTML(html);
  return template.content;
}
