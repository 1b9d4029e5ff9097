// What a person sees. Functions make elements of what is known; nothing here decides anything.

import { permission, size, spell, verdict } from "./words.js";

/** Builds an element. Text becomes text nodes, so data never becomes markup. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const button = (text, onclick, kind = "") => el("button", { type: "button", class: `button ${kind}`, onclick }, text);

/** Shows a page in place of the one before, and says so to whoever cannot see it. */
export function show(app, ...children) {
  app.replaceChildren(...children.flat(Infinity).filter(Boolean));
  app.querySelector("h1")?.focus({ preventScroll: true });
}

/** A page with one thing to say. */
export function message(title, text, ...actions) {
  return el("main", { class: "page narrow" },
    el("h1", { tabindex: "-1" }, title),
    text && el("p", { class: "lead" }, text),
    actions.length > 0 && el("p", { class: "actions" }, actions));
}

/** Which organisation? By its address; by its name where the server may say names. */
export function picker({ tenants, choose }) {
  const field = el("input", {
    id: "who", type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "none",
    "aria-describedby": "who-hint", placeholder: tenants ? "Name" : "Address",
  });
  const list = el("ul", { class: "tenants", "aria-label": "Organisations" });
  const fill = () => {
    const wanted = field.value.trim().toLowerCase();
    const found = tenants.filter(({ name }) => name.includes(wanted.replaceAll(" ", "-")));
    found.sort((one, other) => one.name.localeCompare(other.name));
    list.replaceChildren(...found.map(({ addr, name }) => el("li", {}, el("button", { type: "button", onclick: () => choose(addr) },
      monogram(name, {}), el("span", { class: "name" }, title(name))))));
  };
  if (tenants) {
    field.addEventListener("input", fill);
    fill();
  }
  const submit = (event) => {
    event.preventDefault();
    const addr = field.value.trim();
    if (tenants) list.querySelector("button")?.click();
    else if (/^[a-z2-7]{26,64}$/.test(addr)) choose(addr);
    else field.setAttribute("aria-invalid", "true");
  };
  return el("main", { class: "page narrow" },
    el("h1", { tabindex: "-1" }, "Whose programs?"),
    el("form", { onsubmit: submit },
      el("label", { for: "who" }, tenants ? "Find your organisation" : "The address of your organisation"),
      el("div", { class: "field" }, field, !tenants && el("button", { class: "button primary" }, "Continue")),
      el("p", { class: "hint", id: "who-hint" }, tenants
        ? "This server shows names because it signs with throw-away keys. In production a person is given an address."
        : "32 letters and digits, which your vendor gave you. The link that you were sent has it, too.")),
    tenants && list);
}

const title = (name) => name.split("-").map((word) => word[0].toUpperCase() + word.slice(1)).join(" ");

/** A letter on the colour of an organisation. */
function monogram(name, { color, text }) {
  const node = el("span", { class: "monogram", "aria-hidden": "true" }, [...name.trim()][0]?.toUpperCase() ?? "·");
  paint(node, color, text);
  return node;
}

/** Colours are data: nothing but a colour can get through here. */
function paint(node, color, text) {
  if (/^#[0-9a-f]{3,8}$/i.test(color ?? "")) node.style.setProperty("--brand", color);
  if (text === "white" || text === "black") node.style.setProperty("--on-brand", text);
}

const brandOf = (branding) => ({
  color: branding.window?.navigation_bar_background_color,
  text: branding.window?.navigation_bar_text_style,
});

function mark(branding, name) {
  const icon = branding.icons?.find(({ src }) => src?.startsWith("data:image/"));
  return icon ? el("img", { class: "monogram", src: icon.src, alt: "" }) : monogram(name, brandOf(branding));
}

export const nameOf = (set) => set?.branding.name ?? "Your programs";

/** The line-up of an organisation, to be dressed. `act`: what buttons do. */
export function home({ start, problem, act }) {
  const name = nameOf(start.set);
  const { branding } = start.set;
  return [
    el("header", { class: "top" },
      mark(branding, name),
      el("h1", { tabindex: "-1" }, name),
      el("button", { type: "button", class: "status", onclick: act.details, "aria-haspopup": "dialog" })),
    el("main", { class: "page" },
      problem?.kind === "refused" && el("section", { class: "banner", role: "alert" }, el("h2", {}, problem.title), el("p", {}, problem.text)),
      start.programs.length === 0
        ? el("p", { class: "lead" }, "Your organisation has no programs at the moment.")
        : el("ul", { class: "grid", "aria-label": "Programs" }, start.programs.map((program) => tile(program, act)))),
    footer(start, act),
  ];
}

/** What comes and goes on that page, without a new page: the icons by program, and how the last check went. */
export function dress(app, { icons, status }) {
  const button = app.querySelector(".status");
  button.className = `status ${status.kind}`;
  button.replaceChildren(el("span", { class: "dot", "aria-hidden": "true" }), status.text);
  for (const [app_id, { url }] of icons) {
    const icon = app.querySelector(`[data-app="${CSS.escape(app_id)}"] .icon`);
    if (icon && icon.getAttribute("src") !== url) icon.replaceWith(el("img", { class: "icon", src: url, alt: "" }));
  }
}

function tile(program, act) {
  // One that is still arriving is waited for when it is opened.
  const runs = ["runs", "arriving"].includes(program.verdict.is);
  const isThere = program.verdict.is === "not_installed" && !program.preload && program.release;
  const [word] = verdict(program.verdict);
  const what = el("button", {
    type: "button", class: "open", disabled: !runs && !isThere, "data-app": program.app_id,
    onclick: () => (runs ? act.open(program) : act.install(program)),
  },
    el("span", { class: "icon", "aria-hidden": "true" }, [...program.name][0]),
    el("span", { class: "text" },
      el("span", { class: "name" }, program.name, word && el("span", { class: "badge" }, word)),
      program.description && el("span", { class: "description" }, program.description)));
  const more = el("button", { type: "button", class: "more", "aria-label": `About ${program.name}`, onclick: () => act.about(program) }, dots());
  return el("li", { class: runs || isThere ? "tile" : "tile off" }, what, more);
}

function dots() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  for (const x of [4, 10, 16]) {
    const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    Object.entries({ cx: x, cy: 10, r: 1.7 }).forEach(([key, value]) => dot.setAttribute(key, value));
    svg.append(dot);
  }
  return svg;
}

function footer(start, act) {
  return el("footer", { class: "foot" },
    el("p", {}, `Every file was verified on this device. ${offline(start.freshness)}`),
    el("p", { class: "actions" }, button("Check for updates", act.check, "plain"), button("Switch organisation", act.leave, "plain")));
}

function offline({ state, until }) {
  if (state === "fresh") return `Works without a connection at least until ${spell.date(until)}.`;
  if (state === "grace") return `Nothing new was heard for a while; connect this device before ${spell.date(until)}.`;
  return "This device should be connected once.";
}

/** A program at work. */
export function running({ program, branding, frame, act }) {
  const own = brandOf(program.release);
  const bar = el("header", { class: "bar" },
    el("button", { type: "button", class: "back", onclick: act.close, "aria-label": "Back to all programs" }, "‹"),
    el("h1", { tabindex: "-1" }, program.release.window.navigation_bar_title_text ?? program.name),
    el("button", { type: "button", class: "more", "aria-label": `About ${program.name}`, onclick: () => act.about(program) }, dots()));
  paint(bar, own.color ?? brandOf(branding).color, own.color ? own.text : brandOf(branding).text);
  return [bar, el("main", { class: "stage", "aria-busy": "true" }, frame)];
}

/** A dialog; what was chosen, or null. */
export function dialog({ title, body, actions }) {
  const heading = el("h2", { id: "dialog-title" }, title);
  const node = el("dialog", { "aria-labelledby": "dialog-title" }, el("form", { method: "dialog" },
    heading, body,
    el("p", { class: "actions" }, actions.map(({ text, value, kind = "" }) => el("button", { class: `button ${kind}`, value }, text)))));
  document.body.append(node);
  node.showModal();
  return new Promise((resolve) => node.addEventListener("close", () => {
    node.remove();
    resolve(node.returnValue || null);
  }));
}

const fact = (name, ...values) => [el("dt", {}, name), values.map((value) => el("dd", {}, value))];

/** What a program is, may and reaches. */
export function about(program, consents) {
  const { release } = program;
  if (!release) return el("p", {}, verdict(program.verdict)[1]);
  const [, why] = verdict(program.verdict);
  const asks = release.req_permissions.map(({ name, reason }) => {
    const said = consents.get(name);
    return el("dd", {}, `May ask to ${permission(name)}`, said === undefined ? "" : said ? " (you agreed)" : " (you declined)", el("span", { class: "hint" }, reason));
  });
  const bytes = release.bundle.length + (release.overlay?.length ?? 0);
  return el("div", {},
    why && el("p", { class: "lead" }, why),
    program.description && el("p", {}, program.description),
    el("dl", { class: "facts" },
      fact("Version", `${release.version.name}, ${size(bytes)}`),
      el("dt", {}, "Permissions"), asks.length > 0 ? asks : el("dd", {}, "It asks for nothing."),
      fact("Talks to", ...(release.egress.length > 0 ? release.egress : ["Nobody: it stays on this device."]))));
}

/** How what is shown came to be believed. */
export function trust({ start, problem, checked, addr }) {
  const { state, until } = start.freshness;
  return el("div", {},
    problem && el("p", { class: "lead" }, `${problem.title}. ${problem.text}`),
    el("dl", { class: "facts" },
      fact("Publication", `Number ${start.publication}`),
      fact("Last check", checked ? spell.time(checked) : "Not yet since this page was opened"),
      fact(state === "fresh" ? "Good until" : "To be renewed before", until ? spell.time(until) : "Now"),
      start.staleSince && fact("Server", `It has shown an older state than this device knows since ${spell.time(start.staleSince)}. What is known stays.`),
      fact("Address", el("code", {}, addr))),
    el("p", { class: "hint" }, "Root, timestamp, snapshot, targets, the list of programs and each archive were checked on this device against the root that this shell was deployed with."));
}

/** Something that is said for a while. */
export function notice(place, { kind, title: head, text, actions = [] }) {
  const node = el("div", { class: `notice ${kind}` }, el("div", {}, el("strong", {}, head), text && el("span", {}, text)));
  const close = () => node.remove();
  actions.forEach(({ text: label, run }) => node.append(button(label, () => (close(), run()), "plain")));
  node.append(el("button", { type: "button", class: "dismiss", "aria-label": "Dismiss", onclick: close }, "×"));
  place.append(node);
  while (place.children.length > 3) place.firstChild.remove();
  if (kind === "news" && actions.length === 0) setTimeout(close, 12_000);
}
