const { el, $, fill } = Kit;
let box, config;

const STATES = { Open: "warn", Waiting: "", Solved: "good" };
const statusTag = (ticket) => el("span", { class: `tag ${STATES[ticket.status]}` }, ticket.status);
const ticketLink = (ticket) => `ticket.html?id=${ticket.id}`;
const options = (values) => values.map((value) => el("option", {}, value));

function firstState() {
  const tickets = TICKETS.map(({ age, category, text, replies, ...ticket }) => {
    const opened = Date.now() - age * Kit.HOUR;
    const events = [{ at: opened, by: ticket.by, text }, ...replies.map((reply) => ({ at: opened + reply.after * Kit.HOUR, by: reply.by, text: reply.text }))];
    if (ticket.status !== "Open") events.push({ at: events.at(-1).at + 60e3, by: replies.at(-1).by, status: ticket.status });
    return { ...ticket, category: config.categories[category % config.categories.length], opened, events };
  });
  return { tickets };
}

const answered = (ticket) => ticket.events.find((event) => AGENTS.includes(event.by));
const answerBy = (ticket) => ticket.opened + config.sla_hours * PRIORITIES[ticket.priority] * Kit.HOUR;

/** Says when a first answer is due. */
function answerNote(ticket) {
  return answered(ticket) ? "Answered" : `Answer due ${Kit.stamp(answerBy(ticket))}`;
}

function ticketItem(ticket) {
  return el("li", { class: "card ticket" },
    el("div", { class: "row spread" }, el("h2", {}, el("a", { href: ticketLink(ticket) }, ticket.title)), statusTag(ticket)),
    el("p", { class: "soft" }, `No ${ticket.id}, ${ticket.category}, from ${ticket.by}, ${Kit.ago(ticket.opened)}`),
    el("div", { class: "row" }, el("span", { class: `tag ${ticket.priority === "Urgent" ? "bad" : ""}` }, `${ticket.priority} priority`),
      ticket.status !== "Solved" && el("span", { class: "soft" }, answerNote(ticket))));
}

function eventItem(event) {
  const when = el("time", { class: "soft", datetime: new Date(event.at).toISOString() }, Kit.stamp(event.at));
  if (event.status) return el("li", {}, `${event.by}: ${event.status} `, when);
  const agent = AGENTS.includes(event.by);
  return el("li", { class: agent ? "reply" : null }, el("strong", {}, event.by), agent && " (service desk)", " ", when, el("div", { class: "card" }, event.text));
}

const matches = (article, words) => words.split(/\s+/).every((word) => `${article.title} ${article.topic} ${article.steps.join(" ")}`.toLowerCase().includes(word));

function highlighted(text, words) {
  const word = words.split(/\s+/).find((each) => each && text.toLowerCase().includes(each));
  if (!word) return [text];
  const at = text.toLowerCase().indexOf(word);
  return [text.slice(0, at), el("mark", {}, text.slice(at, at + word.length)), text.slice(at + word.length)];
}

const PAGES = {
  index() {
    const fields = ["words", "status", "category", "mine"].map((id) => $(`#${id}`));
    const draw = () => {
      const [words, status, category, mine] = fields.map((field) => field.value.trim());
      const shown = box.state.tickets.filter((ticket) => `${ticket.id} ${ticket.title} ${ticket.events[0].text}`.toLowerCase().includes(words.toLowerCase())
        && (status === "" || (status === "Unsolved" ? ticket.status !== "Solved" : ticket.status === status))
        && (category === "" || ticket.category === category) && (mine === "" || ticket.by === ME));
      $("#hits").textContent = shown.length === 1 ? "1 ticket" : `${shown.length} tickets`;
      fill($("#tickets"), shown.sort((a, b) => b.opened - a.opened).map(ticketItem));
    };
    $("#category").append(...options(config.categories));
    $("#status").append(...options(Object.keys(STATES)));
    fields.forEach((field) => field.addEventListener("input", draw));
    $("#words").addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    draw();
  },

  ticket() {
    const ticket = box.state.tickets.find((each) => String(each.id) === Kit.param("id")) ?? box.state.tickets[0];
    const draw = () => {
      box.save();
      $("#title").textContent = ticket.title;
      fill($("#facts"), [["Number", String(ticket.id)], ["Status", statusTag(ticket)], ["Category", ticket.category], ["Priority", ticket.priority], ["From", ticket.by],
        ["First answer", answerNote(ticket)]]
        .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat());
      fill($("#timeline"), ticket.events.map(eventItem));
      $("#solve").textContent = ticket.status === "Solved" ? "Open again" : "Mark as solved";
    };
    const setStatus = (status) => {
      ticket.status = status;
      ticket.events.push({ at: Date.now(), by: ME, status });
    };
    Kit.onSubmit($("#reply"), ({ text }, form) => {
      if (text.trim() === "") return;
      ticket.events.push({ at: Date.now(), by: ME, text: text.trim() });
      if (ticket.status !== "Open") setStatus("Open");
      form.reset();
      draw();
      Kit.say("Your reply has been added.");
    });
    $("#solve").addEventListener("click", () => { setStatus(ticket.status === "Solved" ? "Open" : "Solved"); draw(); });
    draw();
  },

  new() {
    const form = $("#new");
    $("#category").append(...options(config.categories));
    Object.keys(PRIORITIES).forEach((name) => $("#priority").append(el("option", { selected: name === "Normal" }, name)));
    const promise = () => {
      const hours = config.sla_hours * PRIORITIES[$("#priority").value];
      $("#promise").textContent = hours < 1 ? "You get an answer within the hour." : `You get an answer within ${hours % 1 === 0 ? hours : hours.toFixed(1)} hours.`;
    };
    $("#priority").addEventListener("change", promise);
    $("#subject").addEventListener("input", () => {
      const words = $("#subject").value.toLowerCase().split(/\s+/).filter((word) => word.length > 4);
      const near = ARTICLES.filter((article) => words.some((word) => matches(article, word))).slice(0, 3);
      $("#perhaps").hidden = near.length === 0;
      fill($("#near"), near.map((article) => el("li", {}, el("a", { href: `knowledge.html?article=${article.id}` }, article.title))));
    });
    Kit.onSubmit(form, ({ subject, category, priority, text }) => {
      const id = Math.max(...box.state.tickets.map((ticket) => ticket.id)) + 1;
      const ticket = { id, title: subject.trim(), category, priority, status: "Open", by: ME, opened: Date.now(), events: [{ at: Date.now(), by: ME, text: text.trim() }] };
      box.state.tickets.push(ticket);
      box.save();
      $("#done").hidden = false;
      form.hidden = true;
      $("#number").textContent = `Ticket ${id} has been opened.`;
      $("#to-ticket").href = ticketLink(ticket);
      $("#done").focus();
    });
    promise();
  },

  knowledge() {
    const article = ARTICLES.find((each) => each.id === Kit.param("article"));
    const draw = () => {
      const words = $("#words").value.trim().toLowerCase();
      const shown = ARTICLES.filter((each) => matches(each, words));
      $("#hits").textContent = shown.length === 1 ? "1 article" : `${shown.length} articles`;
      fill($("#articles"), shown.map((each) => el("li", { class: "card" },
        el("h2", {}, el("a", { href: `knowledge.html?article=${each.id}` }, highlighted(each.title, words))),
        el("p", {}, highlighted(each.steps.find((step) => words && step.toLowerCase().includes(words)) ?? each.steps[0], words)), el("span", { class: "tag" }, each.topic))));
    };
    $("#article").hidden = !article;
    $("#list").hidden = Boolean(article);
    if (article) {
      $("#article-title").textContent = article.title;
      fill($("#article-steps"), article.steps.map((step) => el("li", {}, step)));
    }
    $("#words").addEventListener("input", draw);
    $("#words").addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    draw();
  },
};

async function start() {
  config = await Kit.settings(DEFAULTS);
  box = Kit.store("com.example.helpdesk/2", firstState);
  $("#portal").textContent = config.portal_title;
  $("#phone").textContent = config.support_phone;
  $("#phone").href = `tel:${config.support_phone.replace(/[^+0-9]/g, "")}`;
  PAGES[document.body.dataset.page]();
}
start();
