const { el, $, fill } = Kit;
const box = Kit.store("com.example.identity/1", () => ({ starred: [] }));

const byName = (a, b) => a.name.localeCompare(b.name);
const find = (id) => PEOPLE.find((person) => person.id === id);
const team = (id) => PEOPLE.filter((person) => person.boss === id).sort(byName);
const link = (person) => el("a", { href: `person.html?id=${person.id}` }, person.name);
const mail = (person) => `${person.name.normalize("NFD").replace(/[^a-z ]/gi, "").toLowerCase().replaceAll(" ", ".")}@fennwick.example.com`;
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const face = (person, size = "") => el("span", { class: `face ${size}`, "aria-hidden": "true" }, person.name.split(" ").map((word) => word[0]).join("").slice(0, 2).toUpperCase());
const everybodyBelow = (id) => team(id).reduce((sum, person) => sum + 1 + everybodyBelow(person.id), 0);

/** From the top of the organisation down to this person's own manager. */
function chain(person) {
  const boss = person.boss && find(person.boss);
  return boss ? [...chain(boss), boss] : [];
}

function star(person, redraw) {
  const on = box.state.starred.includes(person.id);
  const flip = () => {
    box.state.starred = on ? box.state.starred.filter((id) => id !== person.id) : [...box.state.starred, person.id];
    box.save();
    redraw();
    document.querySelector(`[data-star=${person.id}]`)?.focus();
  };
  const label = on ? `Take ${person.name} off your favourites` : `Add ${person.name} to your favourites`;
  return el("button", { type: "button", class: "star", data: { star: person.id }, "aria-pressed": String(on), "aria-label": label, title: label, on: { click: flip } }, on ? "★" : "☆");
}

const pages = {
  index() {
    const form = $("#filters");
    const pick = (name, values) => form.elements[name].append(...[...new Set(values)].sort().map((value) => el("option", { value }, value)));
    pick("team", PEOPLE.map((person) => person.team));
    pick("site", PEOPLE.map((person) => person.site));
    form.elements.q.value = Kit.param("q") ?? "";
    form.elements.team.value = Kit.param("team") ?? "";

    function draw() {
      const { q, team: wantedTeam, site, starred } = Object.fromEntries(new FormData(form));
      const words = plain(q).split(/\s+/).filter(Boolean);
      const found = PEOPLE.filter((person) => {
        const text = plain([person.name, person.role, person.team, person.site, person.phone, ...person.skills].join(" "));
        return words.every((word) => text.includes(word)) && (!wantedTeam || person.team === wantedTeam)
          && (!site || person.site === site) && (!starred || box.state.starred.includes(person.id));
      }).sort(byName);
      $("#count").textContent = found.length === 1 ? "1 person" : `${found.length} people`;
      fill($("#people"), found.map((person) => el("li", { class: "card person" },
        face(person),
        el("div", {}, el("h2", {}, link(person)), el("p", {}, person.role), el("p", { class: "soft" }, `${person.site} · ext. ${person.phone}`)),
        star(person, draw))));
      if (found.length === 0) fill($("#people"), el("li", { class: "soft" }, "Nobody fits. Try fewer words, or take a filter away."));
    }
    form.addEventListener("input", draw);
    form.addEventListener("submit", (event) => event.preventDefault());
    draw();
  },

  org() {
    const node = (person, depth) => {
      const below = team(person.id);
      const count = everybodyBelow(person.id);
      const label = el("span", { class: "node" }, face(person, "small"), el("span", {}, link(person), el("span", { class: "soft block" }, person.role)));
      if (below.length === 0) return el("li", {}, label);
      const list = el("ul", { class: "plain branch", id: `below-${person.id}`, hidden: depth > 1 }, below.map((child) => node(child, depth + 1)));
      const fold = el("button", {
        type: "button", class: "fold", "aria-expanded": String(depth <= 1), "aria-controls": list.id, "aria-label": `Team of ${person.name}, ${count} people`,
        on: { click: () => open(fold, list, list.hidden) },
      }, `${count}`);
      label.append(fold);
      return el("li", {}, label, list);
    };
    const open = (button, list, shown) => {
      list.hidden = !shown;
      button.setAttribute("aria-expanded", String(shown));
    };
    fill($("#tree"), PEOPLE.filter((person) => !person.boss).map((person) => node(person, 0)));
    const all = (shown) => document.querySelectorAll(".fold").forEach((button) => open(button, document.getElementById(button.getAttribute("aria-controls")), shown));
    $("#open-all").addEventListener("click", () => all(true));
    $("#close-all").addEventListener("click", () => all(false));
    const sizes = new Map();
    for (const person of PEOPLE) sizes.set(person.team, [...(sizes.get(person.team) ?? []), person]);
    fill($("#teams"), [...sizes].sort((a, b) => b[1].length - a[1].length).map(([name, members]) => el("tr", {},
      el("th", { scope: "row" }, el("a", { href: `index.html?team=${encodeURIComponent(name)}` }, name)),
      el("td", { class: "number" }, String(members.length)),
      el("td", {}, [...new Set(members.map((person) => person.site))].sort().join(", ")))));
  },

  person() {
    const person = find(Kit.param("id") ?? "robin");
    if (!person) {
      fill($("#card"), el("h1", {}, "Nobody here"), el("p", {}, "This person is not in the directory any more. "), el("a", { href: "index.html" }, "Back to all people"));
      return;
    }
    document.title = `${person.name} · People`;
    const zone = SITES[person.site];
    const time = new Date().toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    const address = mail(person);
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(address);
        Kit.say("Address copied.");
      } catch {
        Kit.say(`Copying is off in this window. The address is ${address}.`);
      }
    };
    const fact = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];
    const years = new Date().getFullYear() - person.since;
    function draw() {
      fill($("#card"),
        el("div", { class: "row headline" }, face(person, "large"), el("div", {}, el("h1", {}, person.name), el("p", { class: "soft" }, `${person.role} · ${person.team}`)), star(person, draw)),
        el("p", {}, person.about),
        el("dl", {},
          fact("E-mail", el("a", { href: `mailto:${address}` }, address), " ", el("button", { type: "button", class: "small", on: { click: copy } }, "Copy")),
          fact("Extension", person.phone),
          fact("Place", `${person.site} (${time} there now)`),
          fact("Here since", `${person.since}${years > 0 ? `, ${years} ${years === 1 ? "year" : "years"}` : ""}`),
          fact("Ask about", el("ul", { class: "plain row" }, person.skills.map((skill) => el("li", {}, el("a", { class: "tag", href: `index.html?q=${encodeURIComponent(skill)}` }, skill)))))));
    }
    draw();
    const list = (people) => el("ul", { class: "plain" }, people.map((one) => el("li", { class: "node" }, face(one, "small"), el("span", {}, link(one), el("span", { class: "soft block" }, one.role)))));
    const peers = team(person.boss).filter((one) => one !== person);
    fill($("#around"),
      chain(person).length > 0 && el("section", { class: "card" }, el("h2", {}, "Reports to"), list(chain(person).reverse())),
      team(person.id).length > 0 && el("section", { class: "card" }, el("h2", {}, `Leads ${everybodyBelow(person.id)}`), list(team(person.id))),
      person.boss && peers.length > 0 && el("section", { class: "card" }, el("h2", {}, "Works beside"), list(peers)));
  },
};

pages[document.body.dataset.page]();
