// The admin panel works without this: "/" goes to the search, Escape closes the menu of small screens.

const search = document.querySelector("#find, #searchbar");
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && location.hash === "#side") {
    location.hash = "content-start";
    document.querySelector(".phone-bar .icon-button")?.focus();
    return;
  }
  if (event.key !== "/" || !search || document.body.dataset.keyboard !== "on") return;
  if (isTyping(event.target)) return;
  event.preventDefault();
  search.focus();
  search.select();
});
