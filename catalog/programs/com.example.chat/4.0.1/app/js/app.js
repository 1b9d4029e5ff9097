const { el, $, fill } = Kit;
let box, config;

const firstName = (id) => PEOPLE[id].name.split(" ")[0];
const face = (id) => el("span", { class: "face", "aria-hidden": "true" }, PEOPLE[id].name.split(" ").map((word) => word[0]).join(""));
const mentions = (text) => [...text.matchAll(/@([a-z]+)/g)].map((match) => match[1]).filter((id) => PEOPLE[id]);
const kept = () => box.state.messages.filter((message) => message.at > Date.now() - config.retention_days * Kit.DAY);
const replies = (id) => kept().filter((message) => message.parent === id);
const link = (message) => {
  const thread = message.parent ? `&thread=${message.parent}` : "";
  return `index.html?channel=${encodeURIComponent(message.channel)}${thread}#${message.id}`;
};
const channels = () => [...new Set([...config.default_channels, ...box.state.messages.map((message) => message.channel)])];

function firstState() {
  const messages = HISTORY.map(([minutes, channel, from, text, answers], index) => ({
    id: `m${index}`, channel, from, text, at: Date.now() - minutes * 60e3, parent: answers === undefined ? null : `m${answers}`,
  }));
  return { messages, read: { general: Date.now() - 60 * 60e3, announcements: Date.now(), dispatch: Date.now() - 120 * 60e3 } };
}

/** The text with its mentions, and with what was searched for, made visible. */
function rich(text, wanted = "") {
  return text.split(/(@[a-z]+)/).map((part) => {
    const id = part.startsWith("@") && part.slice(1);
    if (id && PEOPLE[id]) return el("span", { class: id === ME ? "mention me" : "mention" }, `@${firstName(id)}`);
    const at = wanted ? part.toLowerCase().indexOf(wanted.toLowerCase()) : -1;
    if (at < 0) return part;
    return el("span", {}, part.slice(0, at), el("mark", {}, part.slice(at, at + wanted.length)), part.slice(at + wanted.length));
  });
}

function messageItem(message, ...below) {
  return el("li", { class: `message${location.hash === `#${message.id}` ? " target" : ""}`, id: message.id },
    face(message.from),
    el("div", {},
      el("strong", {}, PEOPLE[message.from].name), " ",
      el("time", { class: "soft", datetime: new Date(message.at).toISOString(), title: Kit.stamp(message.at) }, Kit.ago(message.at)),
      el("p", {}, rich(message.text)), below));
}

const room = () => {
  const wanted = Kit.param("channel");
  return channels().includes(wanted) ? wanted : channels()[0];
};

function drawChannels() {
  const unread = (channel) => kept().filter((m) => m.channel === channel && m.from !== ME && m.at > (box.state.read[channel] ?? 0)).length;
  fill($("#channels"), channels().map((channel) => {
    const count = unread(channel);
    return el("li", {}, el("a", { href: `index.html?channel=${encodeURIComponent(channel)}`, "aria-current": channel === room() && "page" },
      `# ${channel}`, count > 0 && el("span", { class: "count" }, String(count), el("span", { class: "visually-hidden" }, " unread"))));
  }));
}

function drawRoom() {
  const top = kept().filter((message) => message.channel === room() && !message.parent);
  const empty = el("li", { class: "soft" }, "Nothing here yet. Say hello.");
  fill($("#log"), top.length === 0 ? empty : top.map((message) => {
    const count = replies(message.id).length;
    const label = count === 0 ? "Reply" : count === 1 ? "1 reply" : `${count} replies`;
    return messageItem(message, el("button", {
      type: "button", on: { click: () => openThread(message.id) }, "aria-label": `${label}: thread of ${PEOPLE[message.from].name}`,
    }, label));
  }));
  $("#log").parentElement.scrollTop = $("#log").parentElement.scrollHeight;
}

let thread = null;
function openThread(id) {
  thread = id;
  document.body.classList.toggle("threaded", id !== null);
  $("#thread").hidden = id === null;
  if (id === null) return $("#text").focus();
  drawThread();
  $("#thread textarea").focus();
}

function drawThread() {
  const start = kept().find((message) => message.id === thread);
  if (start) fill($("#answers"), [start, ...replies(thread)].map((message) => messageItem(message)));
  $("#answers").parentElement.scrollTop = $("#answers").parentElement.scrollHeight;
}

function post(from, text, parent) {
  box.state.messages.push({ id: `m${box.state.messages.length}`, channel: room(), from, text, at: Date.now(), parent });
  box.state.read[room()] = Date.now();
  box.save();
  drawRoom();
  if (thread !== null) drawThread();
}

/** One colleague, the one who was mentioned or last spoke here, reads, types and answers. */
function colleagueAnswers(text, parent) {
  const others = kept().filter((message) => message.channel === room() && message.from !== ME);
  const who = mentions(text).find((id) => id !== ME) ?? others.at(-1)?.from ?? "priya";
  const [, lines] = ANSWERS.find(([pattern]) => pattern.test(text));
  const line = lines[box.state.messages.length % lines.length];
  setTimeout(() => { $("#typing").textContent = `${firstName(who)} is typing…`; }, 700);
  setTimeout(() => {
    $("#typing").textContent = "";
    post(who, `@${ME} ${line}`, parent);
  }, 2600);
}

/** Offers names while a mention is being typed. */
function suggest(field, list) {
  field.addEventListener("input", () => {
    const begun = /@([a-z]*)$/i.exec(field.value.slice(0, field.selectionStart));
    const ids = begun ? Object.keys(PEOPLE).filter((id) => id !== ME && id.startsWith(begun[1].toLowerCase())) : [];
    fill(list, ids.map((id) => el("button", { type: "button", on: { click: () => {
      field.setRangeText(`@${id} `, begun.index, field.selectionStart, "end");
      fill(list);
      field.focus();
    } } }, PEOPLE[id].name)));
  });
}

function composer(form, parent) {
  const field = $("textarea", form);
  suggest(field, $(".suggestions", form));
  const send = () => {
    const text = field.value.trim();
    if (text === "") return;
    field.value = "";
    post(ME, text, parent());
    colleagueAnswers(text, parent());
    field.focus();
  };
  Kit.onSubmit(form, send);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
}

const PAGES = {
  index() {
    $("#room-name").textContent = `# ${room()}`;
    $("#retention").textContent = `Messages are kept for ${config.retention_days} days.`;
    composer($("#compose"), () => null);
    composer($("#answer"), () => thread);
    $("#close").addEventListener("click", () => openThread(null));
    box.state.read[room()] = Date.now();
    box.save();
    drawChannels();
    drawRoom();
    if (kept().some((message) => message.id === Kit.param("thread"))) openThread(Kit.param("thread"));
    document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "nearest" });
  },
  mentions() {
    const mine = kept().filter((message) => mentions(message.text).includes(ME)).reverse();
    fill($("#found"), mine.map((message) => found(message)));
    $("#none").hidden = mine.length > 0;
  },
  search() {
    const form = $("form");
    fill(form.elements.channel, el("option", { value: "" }, "All channels"), channels().map((channel) => el("option", {}, channel)));
    fill(form.elements.from, el("option", { value: "" }, "Anybody"), Object.keys(PEOPLE).map((id) => el("option", { value: id }, PEOPLE[id].name)));
    const run = () => {
      const [words, channel, from] = ["words", "channel", "from"].map((name) => form.elements[name].value.trim());
      const hits = kept().reverse().filter((message) => message.text.toLowerCase().includes(words.toLowerCase())
        && (channel === "" || message.channel === channel) && (from === "" || message.from === from));
      $("#hits").textContent = hits.length === 1 ? "1 message" : `${hits.length} messages`;
      fill($("#found"), hits.map((message) => found(message, words)));
    };
    form.addEventListener("input", run);
    form.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    run();
  },
  people() {
    fill($("#people"), Object.entries(PEOPLE).map(([id, person]) => el("li", { class: "card" }, face(id),
      el("div", {}, el("strong", {}, person.name), el("div", { class: "soft" }, person.role), el("div", { class: "soft" }, `@${id} · ${person.status}`)))));
  },
};

const found = (message, words) => el("li", { class: "card" },
  el("div", { class: "row spread" },
    el("span", {}, el("strong", {}, PEOPLE[message.from].name), ` in # ${message.channel}`),
    el("a", { href: link(message) }, "Show in the channel")),
  el("p", {}, rich(message.text, words)),
  el("span", { class: "soft" }, Kit.stamp(message.at)));

async function start() {
  config = await Kit.settings(DEFAULTS);
  box = Kit.store("com.example.chat/4", firstState);
  $("#organisation").textContent = config.organisation;
  PAGES[document.body.dataset.page]();
}
start();
