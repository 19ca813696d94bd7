// Filters without a reload, and charts. The server renders complete pages: without this script, everything except the
// charts works by submitting the form. The address is the only state; this script keeps none.

import { startMaps } from "./map.js";

const dark = matchMedia("screen and (prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 820px)");
const here = () => location.pathname + location.search;
let views = [];
let latest = 0; // number of the newest request: responses to older ones are discarded
let drawings = 0;
let shown = here();
let wanted = shown;
let isFormStale = false;

async function draw() {
  startMaps(go);
  const themes = JSON.parse(document.getElementById("themes").textContent);
  const config = themes[dark.matches ? 1 : 0];
  const mine = ++drawings;
  const old = views;
  const fresh = views = [];
  const charts = [...document.querySelectorAll("[data-chart]")];
  await Promise.all(charts.map(async (element) => {
    const spec = JSON.parse(document.querySelector(`[data-for="${element.dataset.chart}"]`).textContent);
    const options = { actions: false, renderer: "canvas", config, tooltip: { theme: dark.matches ? "dark" : "light" } };
    const { view } = await vegaEmbed(element, spec, options);
    fresh.push(view);
    const saving = element.parentElement.querySelector(".saving");
    if (!saving) return;
    saving.hidden = false;
    saving.querySelectorAll("button").forEach((button) => { button.onclick = () => save(spec, options, button); });
  }));
  old.forEach((view) => view.finalize());
  if (mine === drawings) document.documentElement.dataset.drawn = shown;
}

// A saved chart stands alone, so it gets a title, a minimum width and the background of its card.
async function save(spec, options, { dataset, parentElement }) {
  const card = parentElement.closest(".card");
  const frame = card.appendChild(document.createElement("div"));
  frame.style = `position: absolute; left: -9999px; width: ${Math.max(parentElement.clientWidth, 720)}px`;
  const background = getComputedStyle(card).backgroundColor;
  const { view } = await vegaEmbed(frame, { ...spec, background, title: JSON.parse(parentElement.dataset.title) }, options);
  const link = document.createElement("a");
  Object.assign(link, { download: dataset.file, href: await view.toImageURL(dataset.save, 2) });
  link.click();
  view.finalize();
  frame.remove();
}

async function show(url, { withFilters }) {
  const mine = ++latest;
  wanted = here();
  isFormStale ||= withFilters; // stays true if a newer request overtakes this one
  document.getElementById("main").setAttribute("aria-busy", "true");
  let page;
  try {
    page = new DOMParser().parseFromString(await (await fetch(url)).text(), "text/html");
  } catch {
    location.assign(url); // the server is down: let the browser show its error
    return;
  }
  if (mine !== latest) return; // superseded by a newer request
  const fresh = page.getElementById("main");
  if (!fresh || !page.getElementById("filters") || !document.getElementById("filters")) return location.assign(url);
  const main = document.getElementById("main");
  const open = new Set([...main.querySelectorAll("details[open][data-table]")].map((one) => one.dataset.table));
  const samePage = fresh.dataset.page === main.dataset.page;
  const focused = document.activeElement;
  main.replaceWith(fresh);
  if (samePage) fresh.querySelectorAll("[data-table]").forEach((one) => { one.open ||= open.has(one.dataset.table); });
  const groups = () => [...document.querySelectorAll("#filters details")];
  const openGroups = groups().map((one) => one.open);
  for (const id of ["pages", ...(isFormStale ? ["filters"] : [])]) document.getElementById(id).replaceWith(page.getElementById(id));
  if (!isFormStale) { // keep the form, update only its summaries
    const summaries = [...page.querySelectorAll(".filters summary")];
    document.querySelectorAll(".filters summary").forEach((one, i) => { one.innerHTML = summaries[i].innerHTML; });
  }
  isFormStale = false;
  shown = wanted;
  if (samePage) groups().forEach((one, i) => { one.open ||= openGroups[i]; });
  if (!focused.isConnected) keepFocus(focused);
  document.title = page.title;
  document.getElementById("status").textContent = fresh.dataset.summary;
  await draw();
}

// Keep keyboard users in place when the focused element was replaced.
function keepFocus(gone) {
  const same = gone.form?.id === "filters" && document.querySelector(`#filters [name="${gone.name}"][value="${CSS.escape(gone.value)}"]`);
  const link = gone.closest("nav") && document.querySelector("nav [aria-current]");
  const alike = gone.dataset.key && document.querySelector(`[data-key="${CSS.escape(gone.dataset.key)}"]`);
  (same || link || alike || document.getElementById("main")).focus({ preventScroll: true });
}

// Consecutive changes of one control are one step for Back. The same address is no step.
async function go(url, { control = null, ...options }) {
  if (self !== top) return void open(url); // pages refuse to be framed
  const { pathname, search } = new URL(url, location);
  const isStep = pathname + search !== here() && !(control && control === history.state);
  history[isStep ? "pushState" : "replaceState"](control, "", url);
  return show(url, options);
}

function address(form) {
  const chosen = [...new FormData(form)].filter(([name, value]) => value !== "" && !isDefault(form, name, value));
  const query = new URLSearchParams(chosen).toString();
  return form.getAttribute("action") + (query ? `?${query}` : "");
}

// Defaults are omitted from the address: the first radio button of a group, the end date implied by the years.
function isDefault(form, name, value) {
  const control = form.elements[name];
  if (control instanceof RadioNodeList && control[0].type === "radio") return control[0].value === value;
  return name === "end" && value === control.dataset.default;
}

document.addEventListener("change", ({ target }) => {
  const form = target.name && target.closest("#filters");
  const isBeingTyped = target.type === "date" && target.value && target.value < "1990"; // 0201, on the way to 2016
  if (!form || isBeingTyped) return;
  const control = ["radio", "date", "select-one"].includes(target.type) ? target.name : null;
  // A block adds a checkbox, so the form must be replaced, too.
  go(address(form), { withFilters: target.name === "block", control });
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  go(address(event.target), { withFilters: event.target.id !== "filters" });
});
// Search within a list, and suggest blocks that contain the typed text.
document.addEventListener("input", async ({ target }) => {
  if (target.classList.contains("within")) {
    const wanted = target.value.trim().toLowerCase();
    target.parentElement.querySelectorAll(".list label").forEach((label) => {
      label.hidden = !label.textContent.toLowerCase().includes(wanted);
    });
  } else if (target.getAttribute("list") === "block-names" && target.value.trim().length > 2) {
    const found = await (await fetch(new URL(`../blocks?${new URLSearchParams({ part: target.value })}`, import.meta.url))).json();
    document.getElementById("block-names").replaceChildren(...found.map((block) => new Option(block, block)));
  }
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  // The browser handles anchors. `target` and `href` of SVG links are not strings.
  if (!link || link.hasAttribute("download") || link.hasAttribute("target") || link.hash) return;
  const url = new URL(link.getAttribute("href"), location.href);
  if (url.origin !== location.origin) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(url.href, { withFilters: true }).then(() => { if (link.closest("nav")) scrollTo(0, 0); });
});
addEventListener("popstate", () => {
  // Also fires for links within the page, which need no request.
  if (here() !== wanted) show(location.href, { withFilters: true });
});
dark.addEventListener("change", draw);
let resized;
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return; // only the address bar of a phone changed
  width = innerWidth;
  clearTimeout(resized);
  resized = setTimeout(draw, 150);
});
if (narrow.matches) document.querySelector(".filters .all")?.removeAttribute("open");
// Apply changes made before this script was loaded.
const form = document.getElementById("filters");
const untouched = form?.cloneNode(true);
untouched?.reset();
if (form && address(form) !== address(untouched)) go(address(form), { withFilters: true });
else draw();
