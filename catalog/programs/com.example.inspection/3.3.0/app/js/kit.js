// Small helpers that every page shares: elements, storage, settings, forms, dates.
const Kit = (() => {
  function build(node, props, children) {
    for (const [key, value] of Object.entries(props)) {
      if (value === undefined || value === null || value === false) continue;
      if (key === "on") Object.entries(value).forEach(([type, run]) => node.addEventListener(type, run));
      else if (key === "data") Object.assign(node.dataset, value);
      else node.setAttribute(key, value === true ? "" : String(value));
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }

  /** Builds an element. Text always becomes a text node, so data can never become markup. */
  const el = (tag, props = {}, ...children) => build(document.createElement(tag), props, children);
  const svg = (tag, props = {}, ...children) => build(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
  const $ = (selector, root = document) => root.querySelector(selector);
  const fill = (node, ...children) => node.replaceChildren(...children.flat().filter(Boolean));
  const param = (name) => new URLSearchParams(location.search).get(name);

  /** Keeps one JSON value. In a sandbox without storage the window's name holds it, which outlives a change of page. */
  function store(key, initial) {
    let found = null;
    let keep = (text) => localStorage.setItem(key, text);
    try {
      found = localStorage.getItem(key);
    } catch {
      const mark = `${key}\n`;
      if (window.name.startsWith(mark)) found = window.name.slice(mark.length);
      keep = (text) => { window.name = mark + text; };
      const note = "Storage is off in this window: what you change here is kept until you close it.";
      $("main").prepend(el("p", { class: "notice", role: "note" }, note));
    }
    let state = null;
    try {
      state = JSON.parse(found);
    } catch {
      state = null;
    }
    const box = { state: state ?? initial(), save, reset };
    function save() {
      try {
        keep(JSON.stringify(box.state));
      } catch {
        say("The storage of this device is full. The last change is lost when you leave the page.");
      }
    }
    function reset() {
      box.state = initial();
      save();
    }
    return box;
  }

  /** The tenant's settings, as the overlay brings them; `defaults` where it says nothing. */
  async function settings(defaults) {
    if (location.protocol === "file:") return defaults;
    try {
      const answer = await fetch("../tenant-config.json");
      if (!answer.ok) return defaults;
      const file = await answer.json();
      return { ...defaults, ...file.settings, organisation: file.organisation || defaults.organisation };
    } catch {
      return defaults;
    }
  }

  /** Runs on the button and on Enter, needs no `allow-forms` in the sandbox, and says beside each field what is wrong. */
  function onSubmit(form, run) {
    $("[type=submit]", form).addEventListener("click", (event) => {
      event.preventDefault();
      const wrong = [...form.elements].filter((field) => field.willValidate && field.id && complain(field));
      if (wrong.length > 0) wrong[0].focus();
      else run(Object.fromEntries(new FormData(form)), form);
    });
  }
  function complain(field) {
    const id = `${field.id}-error`;
    document.getElementById(id)?.remove();
    const bad = !field.checkValidity();
    field.setAttribute("aria-invalid", String(bad));
    if (bad) {
      field.setAttribute("aria-errormessage", id);
      field.after(el("p", { class: "error", id }, field.validationMessage));
    }
    return bad;
  }

  let live = null;
  function say(text) {
    live ??= document.body.appendChild(el("div", { class: "toast", role: "status" }));
    live.textContent = text;
    live.classList.add("shown");
    clearTimeout(say.timer);
    say.timer = setTimeout(() => live.classList.remove("shown"), 3500);
  }

  const DAY = 24 * 3600e3;
  const day = (time) => new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  const clock = (time) => new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const stamp = (time) => `${day(time)}, ${clock(time)}`;

  return { el, svg, $, fill, param, store, settings, onSubmit, say, DAY, day, clock, stamp };
})();
