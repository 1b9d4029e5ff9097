const { el, $, fill } = Kit;
let box;

function firstState() {
  const documents = DOCUMENTS.map((document) => ({ ...document, added: Date.now() - document.added * Kit.DAY, shares: [] }));
  const lease = documents.find((document) => document.id === "D-311");
  lease.shares.push({ id: "s1", with: "notary@linden-yards.example.com", until: Date.now() + 5 * Kit.DAY, copy: false });
  lease.shares.push({ id: "s2", with: "hanna.weiss@fennwick.example.com", until: Date.now() - 2 * Kit.DAY, copy: true });
  const log = documents.map((document) => ({ at: document.added, who: document.by, kind: "added", document: document.id, what: `added ${document.name}` }));
  log.push({ at: Date.now() - 12 * Kit.DAY, who: "Hanna Weiss", kind: "shared", document: "D-311", what: "shared Lease of Dock 4.txt with notary@linden-yards.example.com" });
  return { documents, log, next: 312 };
}

function note(kind, document, what) {
  box.state.log.push({ at: Date.now(), who: ME, kind, document: document.id, what });
  box.save();
}

const keptUntil = (document) => {
  const { days } = LABELS[document.label];
  return days === null ? null : document.added + days * Kit.DAY;
};
const mayGo = (document) => keptUntil(document) !== null && keptUntil(document) < Date.now();

function retentionTag(document) {
  const until = keptUntil(document);
  if (until === null) return el("span", { class: "tag bad" }, "Legal hold");
  if (until < Date.now()) return el("span", { class: "tag" }, "May be deleted");
  const soon = until < Date.now() + 30 * Kit.DAY;
  return el("span", { class: soon ? "tag warn" : "tag good" }, `Keep until ${Kit.day(until)}`);
}

const within = (folder) => [folder, ...FOLDERS.filter((each) => each.in === folder).map((each) => each.id)];
const labelOptions = (chosen) => Object.entries(LABELS).map(([id, label]) => el("option", { value: id, selected: id === chosen }, label.name));

const PAGES = {
  index() {
    let folder = FOLDERS.some((each) => each.id === Kit.param("folder")) ? Kit.param("folder") : null;
    const draw = () => {
      const inFolder = (id) => box.state.documents.filter((document) => id === null || within(id).includes(document.folder));
      const folderItem = (id, name, inner) => el("li", { class: inner ? "inner" : null }, el("button", {
        type: "button", "aria-pressed": String(id === folder), on: { click: () => { folder = id; draw(); $("#folders [aria-pressed=true]").focus(); } },
      }, name, el("span", { class: "soft" }, String(inFolder(id).length))));
      fill($("#folders"), folderItem(null, "Everything", false), FOLDERS.map((each) => folderItem(each.id, each.name, each.in)));
      const words = $("#words").value.trim().toLowerCase();
      const label = $("#label").value;
      const shown = inFolder(folder).filter((document) => (label === "" || document.label === label)
        && `${document.name} ${document.text} ${document.by}`.toLowerCase().includes(words));
      $("#folder-name").textContent = FOLDERS.find((each) => each.id === folder)?.name ?? "Everything";
      $("#hits").textContent = shown.length === 1 ? "1 document" : `${shown.length} documents`;
      fill($("#documents"), shown.sort((a, b) => b.added - a.added).map((document) => el("tr", {},
        el("td", {}, el("a", { href: `document.html?id=${encodeURIComponent(document.id)}` }, document.name)),
        el("td", {}, retentionTag(document)), el("td", {}, LABELS[document.label].name), el("td", {}, document.by), el("td", {}, Kit.day(document.added)))));
    };
    $("#label").append(...labelOptions());
    $("#new-label").append(...labelOptions("working"));
    ["#words", "#label"].forEach((field) => $(field).addEventListener("input", draw));
    $("#words").addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    Kit.onSubmit($("#add"), async (_, form) => {
      const file = form.elements.file.files[0];
      const text = file.type.startsWith("text/") ? (await file.text()).slice(0, 20000) : `This kind of file (${file.type || "unknown"}) has no preview.`;
      const document = {
        id: `D-${box.state.next}`, name: file.name, folder: folder ?? "contracts", label: form.elements["new-label"].value,
        by: ME, added: Date.now(), text, shares: [],
      };
      box.state.documents.push(document);
      box.state.next += 1;
      note("added", document, `added ${document.name}`);
      form.reset();
      draw();
      Kit.say(`${document.name} is in the vault.`);
    });
    draw();
  },

  document() {
    const found = box.state.documents.find((each) => each.id === Kit.param("id")) ?? box.state.documents[0];
    if (!found) return fill($("#main"), el("h1", {}, "The vault is empty"), el("p", {}, el("a", { href: "index.html" }, "Add a document")));
    const folder = FOLDERS.find((each) => each.id === found.folder);
    const parents = [FOLDERS.find((each) => each.id === folder.in), folder].filter(Boolean);
    fill($("#crumbs"), el("li", {}, el("a", { href: "index.html" }, "Vault")),
      parents.map((each) => el("li", {}, el("a", { href: `index.html?folder=${each.id}` }, each.name))));
    $("#name").textContent = found.name;
    $("#text").textContent = found.text;
    $("#label").append(...labelOptions(found.label));
    const draw = () => {
      fill($("#facts"), [["Number", found.id], ["Added", Kit.stamp(found.added)], ["By", found.by], ["Retention", retentionTag(found)]]
        .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat());
      $("#delete").disabled = !mayGo(found);
      $("#why-not").hidden = mayGo(found);
      const active = found.shares.filter((share) => share.until > Date.now());
      const over = found.shares.length - active.length;
      fill($("#shares"), active.map(shareItem), over > 0 && el("li", { class: "share soft" }, over === 1 ? "1 share has expired" : `${over} shares have expired`));
    };
    const shareItem = (share) => el("li", { class: "share" }, el("strong", {}, share.with),
      el("div", { class: "soft" }, `${share.copy ? "May save a copy" : "May read"}, until ${Kit.day(share.until)}`),
      el("button", { type: "button", "aria-label": `Stop sharing with ${share.with}`, on: { click: () => {
        found.shares = found.shares.filter((each) => each.id !== share.id);
        note("shared", found, `stopped sharing ${found.name} with ${share.with}`);
        draw();
        Kit.say("No longer shared.");
      } } }, "Stop sharing"));
    $("#label").addEventListener("change", () => {
      const before = LABELS[found.label].name;
      found.label = $("#label").value;
      note("label", found, `changed the label of ${found.name} from ${before} to ${LABELS[found.label].name}`);
      draw();
    });
    Kit.onSubmit($("#share"), ({ email, days, copy }, form) => {
      const share = { id: `s${Date.now()}`, with: email.trim(), until: Date.now() + Number(days) * Kit.DAY, copy: copy === "on" };
      found.shares.push(share);
      note("shared", found, `shared ${found.name} with ${share.with} for ${days} days`);
      form.reset();
      draw();
      Kit.say(`Shared until ${Kit.day(share.until)}.`);
    });
    $("#save").addEventListener("click", () => {
      const address = URL.createObjectURL(new Blob([found.text], { type: "text/plain" }));
      el("a", { href: address, download: found.name.endsWith(".txt") ? found.name : `${found.name}.txt` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10e3);
      note("viewed", found, `saved a copy of ${found.name}`);
    });
    $("#delete").addEventListener("click", () => {
      box.state.documents = box.state.documents.filter((each) => each !== found);
      note("deleted", found, `deleted ${found.name}`);
      location.href = "index.html";
    });
    note("viewed", found, `viewed ${found.name}`);
    draw();
  },

  activity() {
    const draw = () => {
      const [kind, who] = [$("#kind").value, $("#who").value];
      const shown = box.state.log.filter((entry) => (kind === "" || entry.kind === kind) && (who === "" || entry.who === who)).sort((a, b) => b.at - a.at);
      $("#hits").textContent = shown.length === 1 ? "1 entry" : `${shown.length} entries`;
      const stands = (id) => box.state.documents.some((document) => document.id === id);
      fill($("#log"), shown.map((entry) => el("li", { class: "row spread" },
        el("span", {}, el("strong", {}, entry.who), ` ${entry.what} `, stands(entry.document) && el("a", { href: `document.html?id=${encodeURIComponent(entry.document)}` }, entry.document)),
        el("time", { class: "soft", datetime: new Date(entry.at).toISOString() }, Kit.stamp(entry.at)))));
    };
    $("#who").append(...[...new Set(box.state.log.map((entry) => entry.who))].sort().map((who) => el("option", {}, who)));
    ["#kind", "#who"].forEach((field) => $(field).addEventListener("change", draw));
    draw();
  },
};

box = Kit.store("com.example.vault/1", firstState);
PAGES[document.body.dataset.page]();
