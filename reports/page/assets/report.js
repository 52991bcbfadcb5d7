"use strict";
// Filters the overview and opens what a link points to. Without it every row is shown and every fold opens by hand.

const form = document.querySelector("form.filter");
const rows = [...document.querySelectorAll("table.overview tr[data-verdict]")];
const fields = ["q", "verdict", "status", "strength", "theorem"];

function show() {
  const wanted = Object.fromEntries(fields.map((name) => [name, form.elements[name].value.trim()]));
  const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const data = row.dataset;
    const fits = (!wanted.verdict || data.verdict === wanted.verdict)
      && (!wanted.status || data.status === wanted.status)
      && (!wanted.theorem || data.theorem === wanted.theorem)
      && (!wanted.strength || data.strength.split(" ").includes(wanted.strength))
      && words.every((word) => data.text.includes(word));
    row.hidden = !fits;
    count += fits;
  }
  for (const body of document.querySelectorAll("table.overview tbody")) {
    body.hidden = !body.querySelector("tr[data-verdict]:not([hidden])");
  }
  rove();
  const filtered = fields.some((name) => wanted[name]);
  form.querySelector("output").value = filtered ? `${count} of ${rows.length} claims` : "";
  return wanted;
}

// One stop of the keyboard a group of rows: from there, arrows go from row to row.
const walked = () => [...document.querySelectorAll("table.walked tr:not([hidden]) a")];

function rove(current) {
  const stops = new Map(walked().reverse().map((link) => [link.closest("tbody"), link]));
  if (current) stops.set(current.closest("tbody"), current);
  for (const link of walked()) link.tabIndex = stops.get(link.closest("tbody")) === link ? 0 : -1;
}

function remember() {
  const wanted = show();
  const said = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
  history.replaceState(null, "", said ? `#${said}` : location.pathname + location.search);
}

function recall() {
  const said = new URLSearchParams(location.hash.slice(1));
  if (fields.some((name) => said.has(name)) || !location.hash) {
    for (const name of fields) form.elements[name].value = said.get(name) ?? "";
  }
  show();
}

if (form) {
  form.hidden = false;
  form.addEventListener("input", remember);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(remember));
  addEventListener("hashchange", recall);
  recall();
}

rove();

function reveal() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let place = target; place; place = place.parentElement) {
    if (place.tagName === "DETAILS") place.open = true;
  }
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();

addEventListener("keydown", (event) => {
  const links = walked(), place = links.indexOf(event.target), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (place >= 0 && step && links[place + step]) {
    event.preventDefault();
    rove(links[place + step]);
    links[place + step].focus();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "/" && form) {
    event.preventDefault();
    form.elements.q.focus();
  }
  const turn = { "[": "prev", "]": "next" }[event.key];
  const link = turn && document.querySelector(`a[rel=${turn}]`);
  if (link) link.click();
});

// A link to whatever has a name of its own, where the pointer rests.
const anchor = document.createElement("a");
anchor.className = "anchor";
anchor.textContent = "#";
anchor.tabIndex = -1;
anchor.setAttribute("aria-label", "Link to this place");
document.addEventListener("pointerover", (event) => {
  const named = event.target.closest("#main [id]");
  if (!named || anchor.hash === `#${named.id}`) return;
  anchor.href = `#${named.id}`;
  (named.querySelector("th, h2, figcaption, summary") ?? named).append(anchor);
});

// What scrolls sideways is reached by keyboard; what does not is no stop on the way.
function stops() {
  for (const box of document.querySelectorAll(".scroll")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("resize", stops);
addEventListener("toggle", stops, true);
stops();
