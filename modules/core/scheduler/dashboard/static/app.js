// What makes the pages pleasant; without it every link and every form works all the same.
const THEMES = ["system", "light", "dark"];
const PLACES = { o: "", t: "tasks", e: "executions", f: "failures", h: "cleanups", n: "nodes", m: "modules", a: "audit" };
const EVERY = 5000;

const page = () => document.getElementById("page");
const base = () => page().dataset.base;
const find = (selector) => document.querySelector(selector);

// --- times: each <time> says how far away it is, as time goes on
function span(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const at = units.findIndex(([, size]) => seconds >= size);
  if (at < 0) return "0 s";
  return units.slice(at, at + 2).map(([unit, size]) => {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    return count ? `${count} ${unit}` : "";
  }).filter(Boolean).join(" ");
}
function tellTimes() {
  for (const each of document.querySelectorAll("time[datetime]")) {
    const away = (Date.parse(each.dateTime) - Date.now()) / 1000;
    each.textContent = Math.abs(away) < 1 ? "now" : away > 0 ? `in ${span(away)}` : `${span(-away)} ago`;
  }
}

// --- light, dark, or as the system has it
function showTheme() {
  const button = find("[data-theme-button]");
  button.hidden = false;
  find("[data-theme-word]").textContent = localStorage.getItem("theme") || "system";
}
function nextTheme() {
  const now = localStorage.getItem("theme") || "system";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "system") { localStorage.removeItem("theme"); delete document.documentElement.dataset.theme; }
  else { localStorage.setItem("theme", next); document.documentElement.dataset.theme = next; }
  showTheme();
}

// --- live: the page is fetched again and put in place, while it is looked at and nobody is writing in it
let live = localStorage.getItem("live") !== "off";
const isBusy = () => document.hidden || find("dialog[open]") || getSelection().toString()
  || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || "");
async function refresh() {
  try {
    await htmx.ajax("GET", location.pathname + location.search, { target: "#main", select: "#main", swap: "outerMorph" });
    delete find("[data-live]").dataset.lost;
  } catch { find("[data-live]").dataset.lost = ""; }
}
function showLive() {
  const button = find("[data-live]");
  button.hidden = false;
  button.setAttribute("aria-pressed", String(live));
  find("[data-live-word]").textContent = live ? "live" : "paused";
}
function toggleLive() {
  live = !live;
  localStorage.setItem("live", live ? "on" : "off");
  showLive();
}

// --- keys
let before = "";
function move(step) {
  const rows = [...document.querySelectorAll("main .list tbody tr")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains("here"));
  rows[at]?.classList.remove("here");
  const row = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  row.classList.add("here");
  row.querySelector("a")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
const KEYS = {
  "/": () => find("[data-search]")?.focus(),
  j: () => move(1), k: () => move(-1), r: refresh, p: toggleLive, t: nextTheme,
  "?": () => find("#help").showModal(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("keys") === "off") return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) { if (event.key === "Escape") event.target.blur(); return; }
  const place = before === "g" ? PLACES[event.key] : undefined;
  before = event.key;
  if (place !== undefined) { location.href = `${base()}/${place}`; event.preventDefault(); return; }
  const act = KEYS[event.key];
  if (act) { act(); event.preventDefault(); }
});

// --- clicks
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-button]")) nextTheme();
  if (event.target.closest("[data-live]")) toggleLive();
});
document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !confirm(question)) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-keys-off]")) localStorage.setItem("keys", event.target.checked ? "off" : "on");
});

function settle() { tellTimes(); showTheme(); showLive(); }
document.addEventListener("htmx:after:swap", settle);
setInterval(tellTimes, 1000);
setInterval(() => { if (live && !isBusy()) refresh(); }, EVERY);
settle();
