"use strict";
// Draws the law of x_t, the fields and their eigenframes from the data of the page; no other file is read.

const data = JSON.parse(document.getElementById("data").textContent);
const form = document.querySelector("form.viewer");
const canvas = document.querySelector("canvas");
const said = document.getElementById("said");
const pen = canvas.getContext("2d");
const unit = data.unit, side = data.side, reach = data.reach;
const extent = reach + 0.4;
let timer = 0;

// The numbers of each time from changes from time to time: all lower bytes, then all higher, deflated, in base 64.
async function unpacked(text) {
  const packed = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = bytes.length / 2, each = count / data.times.length, values = new Int16Array(count);
  for (let i = 0; i < count; i += 1) values[i] = bytes[i] + (bytes[count + i] << 8) + (i < each ? 0 : values[i - each]);
  return data.times.map((_, k) => values.subarray(k * each, (k + 1) * each));
}

function colour(name) {
  const probe = document.getElementById("probe");
  probe.className = `c-${name}`;
  return getComputedStyle(probe).color;
}

const spot = (x, y) => [(x / extent + 1) * canvas.width / 2, (1 - y / extent) * canvas.height / 2];

function arrow(x, y, u, v, style, width = 1.2) {
  const [a, b] = spot(x, y), [c, d] = spot(x + u, y + v);
  const length = Math.hypot(c - a, d - b);
  pen.strokeStyle = pen.fillStyle = style;
  pen.lineWidth = width;
  pen.beginPath(); pen.moveTo(a, b); pen.lineTo(c, d); pen.stroke();
  if (length < 4) return;
  const [e, f] = [(c - a) / length, (d - b) / length], head = Math.min(7, length / 2);
  pen.beginPath(); pen.moveTo(c, d);
  pen.lineTo(c - head * (e + f / 2), d - head * (f - e / 2));
  pen.lineTo(c - head * (e - f / 2), d - head * (f + e / 2));
  pen.fill();
}

function dot(x, y, style, size) {
  const [a, b] = spot(x, y);
  pen.fillStyle = style;
  pen.beginPath(); pen.arc(a, b, size, 0, 2 * Math.PI); pen.fill();
}

// What lies between two times of the data is interpolated.
function at(values, t) {
  const times = data.times, last = times.length - 1;
  const place = Math.min(Math.max((t - times[0]) / (times[last] - times[0]) * last, 0), last);
  const k = Math.min(Math.floor(place), last - 1), share = place - k;
  return (i) => ((1 - share) * values[k][i] + share * values[k + 1][i]) / unit;
}

function places(draw) {
  const step = 2 * reach / (side - 1);
  for (let i = 0; i < side * side; i += 1) draw(i, -reach + step * (i % side), -reach + step * Math.floor(i / side));
}

function field(values, t, style) {
  const value = at(values, t);
  places((i, x, y) => {
    const u = value(2 * i), v = value(2 * i + 1), speed = Math.hypot(u, v);
    const length = speed && 0.42 * Math.tanh(speed / 3) / speed;
    arrow(x, y, u * length, v * length, style);
  });
}

function frames(values, t) {
  const value = at(values, t), grows = colour("grows"), falls = colour("falls");
  places((i, x, y) => {
    const a = value(3 * i), b = value(3 * i + 1), c = value(3 * i + 2);
    const middle = (a + c) / 2, half = Math.hypot((a - c) / 2, b), turn = Math.atan2(2 * b, a - c) / 2;
    for (const [eigenvalue, angle] of [[middle + half, turn], [middle - half, turn + Math.PI / 2]]) {
      const length = 0.2 * Math.tanh(Math.abs(eigenvalue) / 3), u = length * Math.cos(angle), v = length * Math.sin(angle);
      const [p, q] = spot(x - u, y - v), [r, s] = spot(x + u, y + v);
      pen.strokeStyle = eigenvalue < 0 ? falls : grows;
      pen.lineWidth = 2;
      pen.beginPath(); pen.moveTo(p, q); pen.lineTo(r, s); pen.stroke();
    }
  });
}

function show() {
  const target = data.targets[form.elements.target.selectedIndex];
  const t = Number(form.elements.t.value), on = (name) => form.elements[name].checked;
  const ratio = Math.min(devicePixelRatio || 1, 2);
  canvas.width = canvas.height = Math.round(canvas.clientWidth * ratio);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (on("independent")) field(target.independent, t, colour("independent"));
  if (on("optimal")) field(target.optimal, t, colour("optimal"));
  if (on("frames")) frames(target.jacobian, t);
  const noise = colour("noise"), now = colour("now"), points = colour("data"), prox = colour("prox");
  for (let i = 0; i < target.pairs.length; i += 4) {
    const [x, y, u, v] = target.pairs.slice(i, i + 4).map((value) => value / unit);
    const p = (1 - t) * x + t * u, q = (1 - t) * y + t * v;
    if (on("prox") && t > 0.15 && i % 32 === 0) arrow(p / t, q / t, u - p / t, v - q / t, prox, 1);
    if (on("law")) {
      dot(x, y, noise, 1.2 * ratio);
      dot(p, q, now, 2.4 * ratio);
    }
    dot(u, v, points, 2 * ratio);
  }
  form.elements.read.value = `t = ${t.toFixed(2)}`;
  const parts = [["law", "the law of x_t"], ["optimal", "the exact field"], ["independent", "the field of the independent coupling"],
    ["prox", "arrows from x_t/β to x₁"], ["frames", "the eigenframes of Dv_t"]].filter(([name]) => on(name)).map(([, words]) => words);
  said.textContent = target.words;
  canvas.setAttribute("aria-label", `${target.name}, t = ${t.toFixed(2)}: ${parts.join(", ") || "the data alone"}`);
}

function play() {
  if (timer) { clearInterval(timer); timer = 0; form.elements.play.textContent = "Play"; return; }
  if (Number(form.elements.t.value) >= 0.95) form.elements.t.value = 0.05;
  form.elements.play.textContent = "Stop";
  timer = setInterval(() => {
    form.elements.t.value = Number(form.elements.t.value) + 0.01;
    show();
    if (Number(form.elements.t.value) >= 0.95) play();
  }, 60);
}

async function start() {
  for (const target of data.targets) {
    for (const name of ["optimal", "independent", "jacobian"]) target[name] = await unpacked(target[name]);
  }
  form.hidden = false;
  canvas.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.play.addEventListener("click", play);
  addEventListener("resize", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}
start();
