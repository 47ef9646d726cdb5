// What makes the pages pleasant; without it every link and every form works all the same.
const THEMES = ["system", "light", "dark"];
const PLACES = { o: "", t: "tasks", e: "executions", f: "failures", l: "timeline", h: "cleanups", n: "nodes", m: "modules", a: "audit" };
const EVERY = 5000, LOST = 12000;  // milliseconds between two questions; without a word until there is no stream

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
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
function tellHere(each) {  // on the clock of the one who reads, too
  if (each.dataset.here || zone === each.dataset.zone) return;
  each.dataset.here = zone;
  each.title += `\n${new Date(each.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "long" })} (${zone}, here)`;
}
const WAYS = { relative: undefined, task: (each) => each.dataset.zone, UTC: () => "UTC", here: () => zone };
const way = () => (localStorage.getItem("times") in WAYS ? localStorage.getItem("times") : "relative");
const clocks = {};
function exactly(moment, timeZone) {  // Sun 2026-11-22 02:00:00 CET
  const fields = { weekday: "short", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  clocks[timeZone] ??= new Intl.DateTimeFormat("en-GB", { ...fields, second: "2-digit", hourCycle: "h23", timeZone, timeZoneName: "short" });
  const parts = Object.fromEntries(clocks[timeZone].formatToParts(moment).map((part) => [part.type, part.value]));
  return `${parts.weekday} ${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second} ${parts.timeZoneName}`;
}
function tellTimes() {
  const zoneOf = WAYS[way()];
  for (const each of document.querySelectorAll("time[datetime]")) {
    const moment = Date.parse(each.dateTime), away = (moment - Date.now()) / 1000;
    tellHere(each);
    const relative = Math.abs(away) < 1 ? "now" : away > 0 ? `in ${span(away)}` : `${span(-away)} ago`;
    each.textContent = zoneOf ? exactly(moment, zoneOf(each)) : relative;
  }
}
function showWay() {
  find("[data-times-button]").hidden = false;
  find("[data-times-word]").textContent = way();
  document.documentElement.toggleAttribute("data-times", way() !== "relative");  // such are long, and may be broken
}
function nextWay() {
  const ways = Object.keys(WAYS);
  localStorage.setItem("times", ways[(ways.indexOf(way()) + 1) % ways.length]);
  showWay();
  tellTimes();
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

// --- live: the server sends the page anew when it has changed, while it is looked at; what comes while somebody
// writes or marks something waits. Where nothing is heard any more, the page is asked for instead.
let live = localStorage.getItem("live") !== "off";
let source, arrived, asked = 0, heard = Date.now(), fresh = heard;
const here = () => location.pathname + location.search;
const isLive = () => live && !document.hidden && find("[data-live]");
const isLost = () => Date.now() - heard > LOST;
const isBusy = () => document.hidden || find("dialog[open], [data-still], [data-tick]:checked") || getSelection().toString()
  || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || "");
function hear(age) {
  heard = Date.now();
  if (age !== null) fresh = heard - age * 1000;
}
function hush() {
  source?.close();
  source = arrived = undefined;
}
function listen() {
  if ((source && source.at !== here()) || !isLive()) hush();
  if (source || !isLive()) return;
  source = new EventSource(here());
  source.at = here();
  source.addEventListener("page", (event) => { hear(0); arrived = event.data; take(); });
  source.addEventListener("beat", (event) => hear(JSON.parse(event.data)));
}
function take() {
  if (arrived === undefined || isBusy() || source?.at !== here()) return;
  const text = JSON.parse(arrived);
  arrived = undefined;
  put(text);
}
const put = (text) => htmx.swap({ text, target: "#main", select: "#main", swap: "outerMorph", sourceElement: document.body });
async function refresh() {
  asked = Date.now();
  const at = here();
  const answer = await fetch(at).catch(() => undefined);
  if (answer?.redirected && new URL(answer.url).pathname !== location.pathname) { location.reload(); return; }
  if (!answer?.ok || at !== here()) return;
  fresh = Date.now();
  await put(await answer.text());
}
function showLive() {
  const button = find("[data-live]"), age = find("[data-age]");
  if (!button) return;
  const isAway = live && isLost();
  button.hidden = age.hidden = false;
  button.toggleAttribute("data-lost", Boolean(isAway));
  button.setAttribute("aria-pressed", String(live));
  find("[data-live-word]").textContent = !live ? "paused" : isAway ? "no stream, asks every 5 s" : "live";
  age.textContent = `updated ${span((Date.now() - fresh) / 1000)} ago`;
}
function toggleLive() {
  live = !live;
  localStorage.setItem("live", live ? "on" : "off");
  hear(null);
  listen();
  showLive();
}
document.addEventListener("visibilitychange", () => { hear(null); listen(); });
addEventListener("pagehide", hush);
const OWN = { open: "details", class: "tr.here" };  // what the reader has opened and marked is no business of the server
htmx.registerExtension("reader", {
  htmx_before_morph_attr: (element, { attrName }) => !(OWN[attrName] && element.matches(OWN[attrName])),
});
function tick() {
  tellTimes();
  if (isLive() && !isBusy() && isLost() && Date.now() - asked >= EVERY) {
    if (source?.readyState === EventSource.CLOSED) hush();
    refresh();
  }
  listen();
  take();
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
  x: () => { const tick = find("tr.here [data-tick]"); if (tick) { tick.checked = !tick.checked; tellTicked(); } },
  j: () => move(1), k: () => move(-1), r: refresh, p: toggleLive, t: nextTheme, z: nextWay,
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

// --- ticked rows
function tellTicked() {
  const count = document.querySelectorAll("[data-tick]:checked").length;
  const told = find("[data-chosen]");
  if (told) told.textContent = count ? `the ${count} ticked` : "the ticked ones";
}

// --- texts to copy; where the browser keeps the clipboard to itself, the text is marked
async function copyText(button) {
  const text = document.getElementById(button.dataset.copy);
  try { await navigator.clipboard.writeText(text.textContent); button.textContent = "Copied"; }
  catch { getSelection().selectAllChildren(text); button.textContent = "Marked: press Ctrl+C"; }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

// --- clicks
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-button]")) nextTheme();
  if (event.target.closest("[data-live]")) toggleLive();
  if (event.target.closest("[data-times-button]")) nextWay();
  const copy = event.target.closest("[data-copy]");
  if (copy) copyText(copy);
});
document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !confirm(question)) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]")) for (const each of document.querySelectorAll("[data-tick]")) each.checked = event.target.checked;
  if (event.target.matches("[data-tick], [data-tick-all]")) tellTicked();
  if (event.target.matches("[data-keys-off]")) localStorage.setItem("keys", event.target.checked ? "off" : "on");
});

let place;
function showPlace() {  // in a narrow window the screens are a line that scrolls
  const current = find(".side [aria-current]");
  if (current && current.href !== place) current.scrollIntoView({ block: "nearest", inline: "nearest" });
  place = current?.href;
}
function settle() {
  showPlace();
  tellTimes(); showTheme(); showWay(); showLive(); tellTicked();
  for (const each of document.querySelectorAll("[data-tick-all], [data-copy]")) each.hidden = false;
}
document.addEventListener("htmx:after:swap", settle);
document.addEventListener("htmx:after:history:update", listen);
setInterval(tick, 1000);
listen();
settle();
