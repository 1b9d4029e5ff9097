const { el, $, fill } = Kit;
const STATUS = { waiting: ["Waiting", "warn"], finance: ["With finance", ""], approved: ["Approved", "good"], rejected: ["Rejected", "bad"] };
let box, config;

function firstState() {
  return {
    claims: CLAIMS.map(([id, by, title, category, centre, amount, days, receipt, status, note]) => ({
      id, by, title, category, centre, amount, receipt, status, note, at: Date.now() - days * Kit.DAY, history: pastOf(status, days),
    })),
  };
}

function pastOf(status, days) {
  const at = Date.now() - (days - 1) * Kit.DAY;
  const past = {
    approved: { at, by: ME, what: "approved", comment: "" },
    finance: { at, by: ME, what: "passed on to finance", comment: "Fine with me." },
    rejected: { at, by: ME, what: "rejected", comment: "Please use the reception's own budget for this." },
  };
  return past[status] ? [past[status]] : [];
}

const value = (claim) => claim.amount;
const money = (amount, currency = config.currency) => new Intl.NumberFormat("en-GB", { style: "currency", currency }).format(amount);
const sum = (claims) => claims.reduce((total, claim) => total + value(claim), 0);
const centre = (claim) => config.cost_centres[claim.centre % config.cost_centres.length];
const tag = (claim) => el("span", { class: `tag ${STATUS[claim.status][1]}` }, STATUS[claim.status][0]);
const claims = () => [...box.state.claims].sort((a, b) => b.id - a.id);
const mayDecide = (claim) => claim.status === "waiting" && claim.by !== ME;
const options = (select, entries) => select.append(...entries.map(([key, name]) => el("option", { value: key }, name)));

/** One person decides up to the limit; above it finance has the last word. */
function decide(claim, approve, comment) {
  const over = value(claim) > config.approval_limit;
  claim.status = approve ? (over ? "finance" : "approved") : "rejected";
  const what = { approved: "approved", finance: "passed on to finance", rejected: "rejected" }[claim.status];
  claim.history.push({ at: Date.now(), by: ME, what, comment });
  box.save();
}

/** Totals of waiting and approved claims for each cost centre. */
function drawTotals() {
  const rows = config.cost_centres.map((name) => {
    const mine = claims().filter((claim) => centre(claim) === name);
    const part = (...statuses) => sum(mine.filter((claim) => statuses.includes(claim.status)));
    return el("tr", {}, el("th", { scope: "row" }, name),
      el("td", { class: "number" }, money(part("waiting", "finance"))), el("td", { class: "number" }, money(part("approved"))));
  });
  fill($("#totals"), rows);
}

const pages = {
  index() {
    const form = $("#filters");
    options(form.elements.status, Object.entries(STATUS).map(([key, [name]]) => [key, name]));
    options(form.elements.centre, config.cost_centres.map((name) => [name, name]));
    form.elements.status.value = Kit.param("status") ?? "waiting";
    form.elements.centre.value = Kit.param("centre") ?? "";

    function shown() {
      const { q, status, centre: wanted } = Object.fromEntries(new FormData(form));
      const text = q.trim().toLowerCase();
      return claims().filter((claim) => (!status || claim.status === status) && (!wanted || centre(claim) === wanted)
        && `${claim.id} ${claim.by} ${claim.title}`.toLowerCase().includes(text));
    }

    function draw() {
      const found = shown();
      $("#count").textContent = `${found.length === 1 ? "1 claim" : `${found.length} claims`}, ${money(sum(found))} in all`;
      fill($("#claims"), found.map((claim) => el("tr", {},
        el("td", {}, el("a", { href: `claim.html?id=${claim.id}` }, claim.title), el("span", { class: "soft block" }, `${claim.id} · ${claim.by} · ${Kit.day(claim.at)}`)),
        el("td", { data: { label: "Cost centre" } }, centre(claim)),
        el("td", { data: { label: "Category" } }, CATEGORIES[claim.category]),
        el("td", { class: "number", data: { label: "Amount" } }, money(claim.amount)),
        el("td", { data: { label: "Status" } }, tag(claim)))));
      $("#none").hidden = found.length > 0;
      drawTotals();
    }
    form.addEventListener("input", draw);
    form.addEventListener("submit", (event) => event.preventDefault());
    draw();
  },

  claim() {
    const claim = claims().find((one) => String(one.id) === Kit.param("id")) ?? claims()[0];
    document.title = `${claim.title} · Expenses`;
    const fact = (name, ...what) => [el("dt", {}, name), el("dd", {}, ...what)];
    function draw() {
      fill($("#claim"),
        el("div", { class: "row spread" }, el("h1", {}, claim.title), tag(claim)),
        el("p", { class: "figure" }, money(claim.amount)),
        el("dl", {},
          fact("Number", String(claim.id)), fact("Person", claim.by), fact("Spent on", Kit.day(claim.at)), fact("Category", CATEGORIES[claim.category]),
          fact("Cost centre", centre(claim)), fact("Receipt", claim.receipt ? "Attached" : "Missing"), fact("What for", claim.note || "–")),
        claim.photo && Photo.show(claim.photo, `Receipt of claim ${claim.id}`));
      fill($("#history"), el("li", {}, el("strong", {}, claim.by), " sent it in", el("span", { class: "soft block" }, Kit.day(claim.at))),
        claim.history.map((step) => el("li", {}, el("strong", {}, step.by), ` ${step.what}`,
          el("span", { class: "soft block" }, Kit.stamp(step.at)), step.comment && el("q", {}, step.comment))));
      $("#decision").hidden = !mayDecide(claim);
      const why = { finance: "Finance has the last word on this claim.", waiting: "You cannot decide on a claim of your own." }[claim.status];
      $("#closed").textContent = mayDecide(claim) ? "" : why ?? "This claim is closed.";
      $("#limit").textContent = value(claim) > config.approval_limit ? `Above ${money(config.approval_limit)}: after you, finance decides.` : `Up to ${money(config.approval_limit)} your approval is enough.`;
    }
    const comment = $("#comment");
    const act = (approve) => {
      const text = comment.value.trim();
      const needed = !approve && "Say why you reject it.";
      $("#comment-error").textContent = needed && !text ? needed : "";
      comment.setAttribute("aria-invalid", String(Boolean(needed && !text)));
      if (needed && !text) {
        comment.focus();
        return;
      }
      decide(claim, approve, text);
      draw();
      Kit.say(`Claim ${claim.id}: ${STATUS[claim.status][0].toLowerCase()}.`);
    };
    $("#approve").addEventListener("click", () => act(true));
    $("#reject").addEventListener("click", () => act(false));
    $("#support").append(el("a", { href: `mailto:${config.support_email}` }, config.support_email));
    draw();
  },

  new() {
    const form = $("#form");
    options(form.elements.category, Object.entries(CATEGORIES));
    options(form.elements.centre, config.cost_centres.map((name, index) => [index, name]));
    const local = (time) => new Date(time - new Date(time).getTimezoneOffset() * 60e3).toISOString().slice(0, 10);
    form.elements.date.max = local(Date.now());
    form.elements.date.value = local(Date.now());
    $("#unit").textContent = `Amount (${config.currency})`;
    let photo = null;
    form.elements.receipt.addEventListener("change", async (event) => {
      const [file] = event.target.files;
      photo = null;
      try {
        if (file) photo = await Photo.read(file);
      } catch {
        Kit.say("This file is not a picture.");
        event.target.value = "";
      }
      fill($("#preview"), photo && Photo.show(photo, "Your receipt"));
    });
    const read = (data) => ({
      title: data.title.trim(), category: data.category, centre: Number(data.centre), amount: Number(data.amount),
      at: new Date(`${data.date}T12:00`).getTime() || Date.now(), note: data.note.trim(), receipt: photo !== null,
    });
    Kit.onSubmit(form, (data) => {
      const id = Math.max(...claims().map((claim) => claim.id)) + 1;
      box.state.claims.push({ id, by: ME, status: "waiting", history: [], photo, ...read(data) });
      box.save();
      location.href = `claim.html?id=${id}`;
    });
  },
};

(async () => {
  config = DEFAULTS;
  box = Kit.store("com.example.expenses/1", firstState);
  pages[document.body.dataset.page]();
})();
