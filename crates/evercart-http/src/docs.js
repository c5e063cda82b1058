// What the documentation page does by itself: its search, its copy buttons, unfolding what a link
// leads to, and printing all of it. Without it the page is whole, only folded by hand.

"use strict";

const search = document.getElementById("search");
const found = document.getElementById("found");
const copied = document.getElementById("copied");

/** What the search goes through, made at its first use. */
let entries;

/** What the search has unfolded, to be folded again after it. */
const unfolded = new Set();

function read() {
  const textOf = (part) => part.textContent.toLowerCase();
  const operations = [...document.querySelectorAll("details.operation")].map((part) => {
    const { id } = part.querySelector(".about");
    const answers = [...part.querySelectorAll("details.answer")].map((answer) => {
      return { answer, text: textOf(answer) };
    });
    const link = document.querySelector(`nav a[href="#${id}"]`).parentElement;
    const text = textOf(part);
    const before = answers.reduce((rest, { text: shown }) => rest.replace(shown, " "), text);
    return { part, link, text, before, answers };
  });
  const errors = [...document.querySelectorAll("#problems tbody tr")].map((part) => {
    return { part, text: textOf(part) };
  });
  return { operations, errors };
}

function unfold(details, isWanted) {
  if (isWanted && !details.open) {
    details.open = true;
    unfolded.add(details);
  } else if (!isWanted && unfolded.delete(details)) {
    details.open = false;
  }
}

function counted(count, one) {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** Shows what has all the words, unfolded as far as the words are seen. */
function filter() {
  entries ??= read();
  const { operations, errors } = entries;
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const isSearch = words.length > 0;
  const fits = (entry) => words.every((word) => entry.text.includes(word));
  for (const entry of operations) {
    const { part, link, before, answers } = entry;
    const isFound = fits(entry);
    part.hidden = link.hidden = !isFound;
    unfold(part, isSearch && isFound);
    for (const { answer, text } of answers) {
      const isThere = (word) => !before.includes(word) && text.includes(word);
      unfold(answer, isSearch && isFound && words.some(isThere));
    }
  }
  for (const entry of errors) entry.part.hidden = !fits(entry);
  const shown = (all) => all.filter(({ part }) => !part.hidden).length;
  const counts = { operations: shown(operations), errors: shown(errors) };
  for (const tag of document.querySelectorAll(".tag"))
    tag.hidden = tag.querySelector(".operation:not([hidden]), li:not([hidden])") === null;
  document.getElementById("problems").hidden = counts.errors === 0;
  document.body.classList.toggle("searching", isSearch);
  found.textContent = isSearch
    ? `${counted(counts.operations, "operation")}, ${counted(counts.errors, "error code")} found`
    : "";
}

search.addEventListener("input", filter);
search.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && search.value !== "") {
    event.preventDefault();
    search.value = "";
    filter();
  }
  if (event.key !== "Enter") return;
  const first = [".operation:not([hidden]) > summary", "#problems:not([hidden]) .table"];
  first.map((one) => document.querySelector(one)).find(Boolean)?.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

/** Unfolds what the address names, and ends a search that hides it. */
function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  if (target === null) return;
  if (target.closest("[hidden], .searching .guide") !== null) {
    search.value = "";
    filter();
  }
  const details = target.closest("details");
  if (details !== null) {
    unfolded.delete(details);
    details.open = true;
  }
  target.scrollIntoView();
}

window.addEventListener("hashchange", reveal);
reveal();

/** Copies a listing; where pages may not write to the clipboard (plain HTTP), as of old. */
async function copy(listing) {
  try {
    await navigator.clipboard.writeText(listing.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(listing);
    return document.execCommand("copy");
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (button === null) return;
  const isDone = await copy(button.previousElementSibling);
  button.textContent = isDone ? "Copied" : "Selected";
  copied.textContent = isDone ? "Copied" : "Selected, to be copied by the keyboard";
  setTimeout(() => {
    button.textContent = "Copy";
    copied.textContent = "";
  }, 2000);
});

let folded = [];
window.addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
});
window.addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});
