// Zoom, pan and tooltips for maps drawn by the server; without this script, their links still work. While a map has the
// focus, arrow keys, + and - move it. The wheel zooms with Ctrl, because otherwise it scrolls the page.

const STEP = 1.6;
const CELL = 66; // units of a 660-foot cell
const MAX_TILES = 60; // wide windows load a coarser level
const seen = {}; // last view of each map, kept by filters that do not change the place

export function startMaps(go) {
  for (const box of document.querySelectorAll("[data-map]")) {
    if (!box.dataset.started) start(box, go);
    box.dataset.started = "yes";
  }
}

function start(box, go) {
  const svg = box.querySelector("svg");
  const { cells, streets } = JSON.parse(document.querySelector(`[data-map-of="${box.dataset.map}"]`).textContent);
  const texts = new Map((cells.key || []).map((key, i) => [key, cells.tip[i]]));
  const first = svg.getAttribute("viewBox");
  const whole = box.dataset.whole.split(" ").map(Number);
  let view = (seen[box.dataset.map]?.first === first ? seen[box.dataset.map].view : first).split(" ").map(Number);

  const set = (next) => {
    const width = Math.min(Math.max(next[2], whole[2] / 200), whole[2] * 1.2);
    const height = width * next[3] / next[2];
    const inside = (start, size, from, all) => Math.min(Math.max(start, from - size / 2), from + all - size / 2);
    view = [inside(next[0], width, whole[0], whole[2]), inside(next[1], height, whole[1], whole[3]), width, height];
    svg.setAttribute("viewBox", view.map(Math.round).join(" "));
    box.classList.toggle("zoomed", width < whole[2] * 0.9);
    seen[box.dataset.map] = { first, view: view.join(" ") };
    if (streets) requestAnimationFrame(() => drawStreets(svg, streets));
  };
  const at = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const zoom = (by, point) => {
    const [x, y] = point ? [point.x, point.y] : [view[0] + view[2] / 2, view[1] + view[3] / 2];
    set([x - (x - view[0]) / by, y - (y - view[1]) / by, view[2] / by, view[3] / by]);
  };
  const move = (dx, dy) => set([view[0] + dx * view[2], view[1] + dy * view[3], view[2], view[3]]);

  const buttons = document.createElement("div");
  buttons.className = "zoom";
  for (const [text, label, act] of [
    ["+", "Zoom in", () => zoom(STEP)], ["\u2212", "Zoom out", () => zoom(1 / STEP)], ["\u2922", "Whole city", () => set(whole)],
  ]) {
    const button = buttons.appendChild(document.createElement("button"));
    Object.assign(button, { type: "button", textContent: text, title: label, onclick: act });
    button.setAttribute("aria-label", label);
  }
  box.append(buttons);
  const keys = {
    ArrowLeft: () => move(-0.2, 0), ArrowRight: () => move(0.2, 0), ArrowUp: () => move(0, -0.2), ArrowDown: () => move(0, 0.2),
    "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP),
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(2 ** (-event.deltaY / 200), at(event));
  }, { passive: false });

  // One pointer pans, two zoom. A drag is not a click.
  const pointers = new Map();
  let dragged = false;
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2, size: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) };
  };
  svg.addEventListener("dragstart", (event) => event.preventDefault());
  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (!pointers.size) dragged = false;
    pointers.set(event.pointerId, event);
  });
  svg.addEventListener("pointermove", (event) => {
    point(event);
    const before = pointers.get(event.pointerId);
    if (!before || (!dragged && Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) < 5)) return;
    if (!dragged) svg.setPointerCapture(event.pointerId);
    dragged = true;
    const old = pointers.size === 2 ? spread() : before;
    const from = at(old);
    pointers.set(event.pointerId, event);
    const now = pointers.size === 2 ? spread() : event;
    if (old.size) zoom(now.size / old.size, from);
    const to = at(now);
    set([view[0] + from.x - to.x, view[1] + from.y - to.y, view[2], view[3]]);
  });
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, (event) => pointers.delete(event.pointerId));
  svg.addEventListener("click", (event) => {
    if (dragged) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const key = cells.link && cellAt(event);
    if (texts.has(key)) go(new URL(`..${cells.link}${encodeURIComponent(key)}`, import.meta.url).href, { withFilters: true });
  }, true);

  // Tooltip of the pointed or focused element.
  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  box.append(tip);
  const square = svg.appendChild(document.createElementNS(svg.namespaceURI, "rect"));
  square.setAttribute("class", "pointed");
  square.setAttribute("vector-effect", "non-scaling-stroke");
  const cellAt = (event) => { const { x, y } = at(event); return `${Math.floor(x / CELL)},${Math.floor(-y / CELL)}`; };
  const show = (text, left, top) => {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const edge = box.getBoundingClientRect();
    tip.style.left = `${Math.min(left - edge.left + 14, edge.width - tip.offsetWidth - 4)}px`;
    tip.style.top = `${top - edge.top + 14}px`;
  };
  const point = (event) => {
    const key = cells.link && cellAt(event);
    const has = texts.has(key);
    const [x, y] = has ? key.split(",") : [0, 0];
    for (const [name, value] of Object.entries({ x: x * CELL, y: -(+y + 1) * CELL, width: has ? CELL : 0, height: has ? CELL : 0 })) square.setAttribute(name, value);
    show(has ? texts.get(key) : event.target.closest("a")?.getAttribute("aria-label"), event.clientX, event.clientY);
  };
  svg.addEventListener("pointerleave", () => show(""));
  svg.addEventListener("focusin", (event) => {
    const { left, right, top, bottom } = event.target.getBoundingClientRect();
    show(event.target.getAttribute("aria-label"), (left + right) / 2, (top + bottom) / 2);
  });
  svg.addEventListener("focusout", () => show(""));
  box.classList.toggle("has-streets", Boolean(streets));
  set(view);
}

// Square web tiles become nearly square parallelograms on a map in feet.
function drawStreets(svg, { url, center: [tile0, map0], to, from }) {
  const values = (rows, u, v) => rows.map((c) => c[0] + c[1] * u + c[2] * v + c[3] * u * u + c[4] * u * v + c[5] * v * v);
  const toMap = (u, v) => values(to, (u - tile0[0]) * 1e4, (v - tile0[1]) * 1e4).map((value, i) => value + map0[i]);
  const toTile = (x, y) => values(from, (x - map0[0]) / 1e4, (y - map0[1]) / 1e4).map((value, i) => value + tile0[i]);
  const edge = svg.getBoundingClientRect();
  const inverse = svg.getScreenCTM().inverse();
  const corners = [[edge.left, edge.top], [edge.right, edge.top], [edge.left, edge.bottom], [edge.right, edge.bottom]]
    .map(([x, y]) => new DOMPoint(x, y).matrixTransform(inverse)).map(({ x, y }) => toTile(x, y));
  const [left, right] = [0, 1].map((i) => Math[i ? "max" : "min"](...corners.map((corner) => corner[0])));
  const [top, bottom] = [0, 1].map((i) => Math[i ? "max" : "min"](...corners.map((corner) => corner[1])));
  let level = Math.min(18, Math.ceil(Math.log2(edge.width * devicePixelRatio / 256 / (right - left))));
  const count = () => ((right - left) * 2 ** level + 1) * ((bottom - top) * 2 ** level + 1);
  while (count() > MAX_TILES) level -= 1;
  const size = 2 ** -level;
  const wanted = new Map();
  for (let x = Math.floor(left / size); x * size < right; x++) {
    for (let y = Math.floor(top / size); y * size < bottom; y++) wanted.set(`${level}/${x}/${y}`, [x, y]);
  }
  const layer = svg.querySelector(".streets");
  for (const image of [...layer.children]) if (!wanted.delete(image.dataset.tile)) image.remove();
  for (const [name, [x, y]] of wanted) {
    const [a, b, c] = [[x, y], [x + 1, y], [x, y + 1]].map(([i, j]) => toMap(i * size, j * size));
    const image = layer.appendChild(document.createElementNS(svg.namespaceURI, "image"));
    const address = url.replace("{z}", level).replace("{x}", x).replace("{y}", y);
    const matrix = [b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]].map((value) => value / 256);
    const all = { href: address, width: 256.5, height: 256.5, transform: `matrix(${matrix} ${a})`, "data-tile": name };
    for (const [key, value] of Object.entries(all)) image.setAttribute(key, value);
  }
}
