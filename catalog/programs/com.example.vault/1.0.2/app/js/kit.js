// Small helpers that every page shares: elements, storage, settings, dates.
const Kit = (() => {
  /** Builds an element. Text always becomes a text node, so data can never become markup. */
  function el(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props)) {
      if (value === undefined || value === null || value === false) continue;
      if (key === "on") Object.entries(value).forEach(([type, run]) => node.addEventListener(type, run));
      else if (key === "data") Object.assign(node.dataset, value);
      else node.setAttribute(key, value === true ? "" : String(value));
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }

  const $ = (selector, root = document) => root.querySelector(selector);
  const fill = (node, ...children) => node.replaceChildren(...children.flat().filter(Boolean));
  const param = (name) => new URLSearchParams(location.search).get(name);

  /** Keeps one JSON value; in a sandbox without storage it lives as long as the page. */
  function store(key, initial) {
    let memory = null;
    let persistent = true;
    try {
      memory = JSON.parse(localStorage.getItem(key));
    } catch {
      persistent = false;
    }
    const state = memory ?? initial();
    const save = () => {
      try {
        localStorage.setItem(key, JSON.stringify(state));
      } catch {
        persistent = false;
      }
    };
    if (!persistent) {
      const note = "Storage is off in this window: what you change here is kept until you leave the page.";
      $("main").prepend(el("p", { class: "notice", role: "note" }, note));
    }
    return { state, save };
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

  /** Runs on the button and on Enter, and does not need `allow-forms` in the sandbox. */
  function onSubmit(form, run) {
    $("[type=submit]", form).addEventListener("click", (event) => {
      event.preventDefault();
      if (form.reportValidity()) run(Object.fromEntries(new FormData(form)), form);
    });
  }

  let live = null;
  function say(text) {
    live ??= document.body.appendChild(el("div", { class: "toast", role: "status" }));
    live.textContent = text;
    live.classList.add("shown");
    clearTimeout(say.timer);
    say.timer = setTimeout(() => live.classList.remove("shown"), 3500);
  }

  const HOUR = 3600e3;
  const DAY = 24 * HOUR;
  const day = (time) => new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  const clock = (time) => new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const stamp = (time) => `${day(time)}, ${clock(time)}`;
  function ago(time) {
    const minutes = Math.round((Date.now() - time) / 60e3);
    if (minutes < 1) return "just now";
    if (minutes < 60) return `${minutes} min ago`;
    return minutes < 1440 ? `${Math.round(minutes / 60)} h ago` : day(time);
  }

  return { el, $, fill, param, store, settings, onSubmit, say, HOUR, DAY, day, clock, stamp, ago };
})();
