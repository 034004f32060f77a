// What moves. Every page works without it.
"use strict";

const root = document.documentElement;
const THEME = "polling-theme";

// Light or dark as the system says, unless chosen here.
if (localStorage.getItem(THEME)) root.dataset.theme = localStorage.getItem(THEME);

function switchTheme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem(THEME, root.dataset.theme);
}

const UNITS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

// As the server writes it: "in 5m", "1h 2m ago".
function away(ms) {
  let rest = Math.floor(Math.abs(ms) / 1000);
  const parts = [];
  for (const [unit, length] of UNITS) {
    if (rest >= length) parts.push(Math.floor(rest / length) + unit);
    rest %= length;
  }
  const text = parts.slice(0, 2).join(" ");
  if (!text) return "now";
  return ms < 0 ? `${text} ago` : `in ${text}`;
}

// The page was rendered by the server's clock, which need not be this one's.
const loadedAt = performance.now();
function tellTimes() {
  const now = Number(document.body.dataset.now) + performance.now() - loadedAt;
  for (const time of document.querySelectorAll("time[data-ms]")) {
    time.textContent = away(Number(time.dataset.ms) - now);
  }
}

// A part of a page that is rendered anew keeps the focus where it was.
function replacePart(part, html) {
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.innerHTML = html;
  if (focused) document.getElementById(focused)?.focus();
}

const AGAIN_AFTER = 10000;

// Of an element with data-live each data-part is replaced by the events of that name that its address streams. Nothing is
// streamed to a page that nobody sees.
function follow(element) {
  let stream = null;
  let again = 0;
  const close = () => {
    clearTimeout(again);
    stream?.close();
    stream = null;
  };
  const open = () => {
    close();
    stream = new EventSource(element.dataset.live);
    for (const part of element.querySelectorAll("[data-part]")) {
      stream.addEventListener(part.dataset.part, (event) => {
        replacePart(part, event.data);
        element.removeAttribute("data-away");
      });
    }
    stream.onerror = () => {
      element.setAttribute("data-away", "");
      // A lost connection is opened again by the browser, one that was refused is not.
      if (stream.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_AFTER);
    };
  };
  const look = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", close);
  look();
}

// A form with data-confirm asks before it is sent.
function ask(event) {
  const form = event.target;
  const question = event.submitter?.dataset.confirm || form.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
}

// A box with data-all ticks all boxes of its form that have this name.
function tickAll(all) {
  all.hidden = false;
  const boxes = all.form.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(all.dataset.all)}"]`);
  all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
}

let before = "";
function onKey(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key;
  if (before === "g") {
    const link = document.querySelector(`nav a[data-key="${CSS.escape(key)}"]`);
    if (link) link.click();
  } else if (key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  } else if (key === "?") {
    document.getElementById("keys")?.showModal();
  }
  before = key;
}

// A secret after # is filled in and sent: it stays in this browser until then.
function logIn() {
  const form = document.getElementById("login");
  if (!form || location.hash.length < 2) return;
  form.elements.secret.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
  form.requestSubmit();
}

addEventListener("DOMContentLoaded", () => {
  // Where the pages do not fit beside each other, the one that is shown is in sight.
  document.querySelector("nav a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  document.querySelector("[data-theme-switch]")?.addEventListener("click", switchTheme);
  document.addEventListener("keydown", onKey);
  document.addEventListener("submit", ask);
  document.querySelectorAll("[data-live]").forEach(follow);
  document.querySelectorAll("[data-all]").forEach(tickAll);
  setInterval(tellTimes, 1000);
  logIn();
});
