const { el, $, fill } = Kit;
let box, config;

const isDone = (envelope) => envelope.signers.every((signer) => signer.mark);
const waitsForMe = (envelope) => !envelope.declined && envelope.signers.some((signer) => signer.name === ME && !signer.mark);
const daysBack = (days) => Date.now() - days * Kit.DAY;
const envelopeOf = () => box.state.envelopes.find((envelope) => envelope.id === Kit.param("id"));

function firstState() {
  const envelopes = ENVELOPES.map((envelope) => {
    const sent = daysBack(envelope.sent);
    const signers = envelope.signers.map(({ name, signed }) => ({
      name, mark: signed === undefined ? null : { typed: name.split(",")[0], at: daysBack(signed) + 2 * Kit.HOUR },
    }));
    const signed = signers.filter((signer) => signer.mark).map((signer) => ({ at: signer.mark.at, who: signer.name, what: "Consented and signed" }));
    const events = [{ at: sent, who: envelope.from, what: "Sent for signature" }, ...signed].sort((a, b) => a.at - b.at);
    if (signers.every((signer) => signer.mark)) events.push({ at: events.at(-1).at, who: "Signatures", what: "Completed and filed in the vault" });
    return { ...envelope, sent, signers, events };
  });
  return { envelopes };
}

const asHex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const sha256 = async (text) => asHex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

/** Each entry's seal covers the entry and the seal before it, so that none can be changed unnoticed. */
async function seal(envelope) {
  let before = JSON.stringify(envelope.text);
  for (const event of envelope.events) {
    event.seal ??= await sha256(`${before}\n${event.at}\n${event.who}\n${event.what}`);
    before = event.seal;
  }
}

async function firstBroken(envelope) {
  let before = JSON.stringify(envelope.text);
  for (const [index, event] of envelope.events.entries()) {
    if (event.seal !== await sha256(`${before}\n${event.at}\n${event.who}\n${event.what}`)) return index;
    before = event.seal;
  }
  return -1;
}

async function record(envelope, what, who = ME) {
  envelope.events.push({ at: Date.now(), who, what });
  if (globalThis.crypto?.subtle) await seal(envelope);
  box.save();
}

function statusTag(envelope) {
  if (envelope.declined) return el("span", { class: "tag bad" }, "Declined");
  if (isDone(envelope)) return el("span", { class: "tag good" }, "Completed");
  return waitsForMe(envelope) ? el("span", { class: "tag warn" }, "Waits for you") : el("span", { class: "tag" }, "Waits for others");
}

/** Strokes are kept as points between 0 and 1, so that they can be drawn at any size. */
function drawStrokes(canvas, strokes, colour) {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.max(1, canvas.clientWidth * ratio);
  canvas.height = Math.max(1, canvas.clientHeight * ratio);
  const pen = canvas.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 2.2 * ratio;
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y], index) => pen[index === 0 ? "moveTo" : "lineTo"](x * canvas.width, y * canvas.height));
    if (stroke.length === 1) pen.lineTo(stroke[0][0] * canvas.width + 1, stroke[0][1] * canvas.height);
    pen.stroke();
  }
}

/** The pad in the dialog. A typed name is as good as a drawn one: not everybody can draw. */
function signaturePad(sign) {
  const [dialog, canvas, typed] = [$("#sign"), $("#pad"), $("#typed")];
  let strokes = [];
  const draw = () => drawStrokes(canvas, strokes, "#1b2330");
  const point = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    strokes.push([point(event)]);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    strokes.at(-1).push(point(event));
    draw();
  });
  $("#clear").addEventListener("click", () => { strokes = []; draw(); });
  $("#cancel").addEventListener("click", () => dialog.close());
  Kit.onSubmit($("form", dialog), () => {
    const name = typed.value.trim();
    if (strokes.length === 0 && name === "") {
      $("#sign-error").textContent = "Draw your signature or type your name.";
      return typed.focus();
    }
    dialog.close();
    return sign(strokes.length > 0 ? { strokes } : { typed: name });
  });
  return () => {
    strokes = [];
    typed.value = "";
    $("#sign-error").textContent = "";
    dialog.showModal();
    draw();
  };
}

function slot(envelope, signer, open) {
  const mine = signer.name === ME && waitsForMe(envelope) && envelope.consented;
  const place = el("div", { class: mine ? "slot mine" : "slot" }, el("strong", {}, signer.name));
  const mark = signer.name === ME && envelope.draft ? { ...envelope.draft, at: null } : signer.mark;
  if (mark?.typed) place.append(el("div", { class: "typed" }, mark.typed));
  if (mark?.strokes) {
    const canvas = el("canvas", { role: "img", "aria-label": `Drawn signature of ${signer.name}` });
    place.append(canvas);
    requestAnimationFrame(() => drawStrokes(canvas, mark.strokes, getComputedStyle(place).color));
  }
  if (mark?.at) place.append(el("div", { class: "soft" }, Kit.stamp(mark.at)));
  if (!mark && !mine) place.append(el("p", { class: "soft" }, "Not signed yet"));
  if (mine) place.append(el("button", { type: "button", id: "open-pad", on: { click: open } }, mark ? "Sign again" : "Sign here"));
  return place;
}

function drawDocument(envelope, open) {
  $("#title").textContent = envelope.title;
  fill($("#facts"), statusTag(envelope), el("span", { class: "soft" }, `${envelope.id}, from ${envelope.from}, ${Kit.day(envelope.sent)}`),
    el("a", { href: `audit.html?id=${envelope.id}` }, "Audit trail"));
  fill($("#text"), envelope.text.map(([heading, text]) => [el("h2", {}, heading), el("p", {}, text)]).flat());
  fill($("#slots"), envelope.signers.map((signer) => slot(envelope, signer, open)));
  const step = !envelope.consented ? 0 : envelope.draft ? 2 : 1;
  $("#ceremony").hidden = !waitsForMe(envelope);
  [...$("#steps").children].forEach((item) => item.removeAttribute("aria-current"));
  $("#steps").children[step].setAttribute("aria-current", "step");
  ["#consent", "#place", "#finish"].forEach((part, index) => { $(part).hidden = index !== step; });
}

const PAGES = {
  index() {
    const FILTERS = { All: () => true, "Waits for you": waitsForMe, Open: (e) => !isDone(e) && !e.declined, Completed: isDone };
    const draw = (chosen) => {
      fill($("#filters"), Object.entries(FILTERS).map(([name, test]) => el("button", {
        type: "button", "aria-pressed": String(name === chosen), on: { click: () => { draw(name); $("[aria-pressed=true]").focus(); } },
      }, `${name} (${box.state.envelopes.filter(test).length})`)));
      const shown = box.state.envelopes.filter(FILTERS[chosen]);
      $("#none").hidden = shown.length > 0;
      fill($("#envelopes"), shown.map(envelopeItem));
    };
    draw("All");
  },
  async document() {
    const envelope = envelopeOf() ?? box.state.envelopes[0];
    const redraw = () => { box.save(); drawDocument(envelope, open); };
    const open = signaturePad((mark) => { envelope.draft = mark; redraw(); $("#finish-button").focus(); });
    $("#law").textContent = LAWS[config.jurisdiction];
    Kit.onSubmit($("#consent"), async () => {
      envelope.consented = true;
      await record(envelope, `Consented to sign electronically under ${LAWS[config.jurisdiction]}`);
      redraw();
      $("#open-pad").focus();
    });
    $("#finish-button").addEventListener("click", async () => {
      envelope.signers.find((signer) => signer.name === ME).mark = { ...envelope.draft, at: Date.now() };
      delete envelope.draft;
      await record(envelope, "Signed");
      if (isDone(envelope)) await record(envelope, "Completed and filed in the vault", "Signatures");
      redraw();
      Kit.say("Signed. Everybody who signs has been told.");
      $("#main").focus();
    });
    $("#decline").addEventListener("click", async () => {
      envelope.declined = true;
      await record(envelope, "Declined to sign");
      redraw();
      Kit.say("Declined. The sender has been told.");
    });
    drawDocument(envelope, open);
    await record(envelope, "Opened the document");
  },
  async audit() {
    const envelope = envelopeOf() ?? box.state.envelopes[0];
    fill($("#which"), box.state.envelopes.map((each) => el("option", { value: each.id, selected: each === envelope }, `${each.id}: ${each.title}`)));
    $("#which").addEventListener("change", () => { location.search = `?id=${$("#which").value}`; });
    if (globalThis.crypto?.subtle) {
      await seal(envelope);
      box.save();
      const broken = await firstBroken(envelope);
      $("#verdict").textContent = broken < 0 ? "Every entry is sealed and the chain is whole." : `The chain is broken at entry ${broken + 1}.`;
      $("#verdict").classList.add(broken < 0 ? "good" : "bad");
    } else {
      $("#verdict").textContent = "Seals can only be checked over a secure connection.";
    }
    fill($("#events"), envelope.events.map((event, index) => el("tr", {}, el("td", {}, String(index + 1)), el("td", {}, Kit.stamp(event.at)),
      el("td", {}, event.who), el("td", {}, event.what), el("td", {}, el("code", { title: event.seal }, event.seal?.slice(0, 16) ?? "none")))));
    $("#open-document").href = `document.html?id=${envelope.id}`;
  },
};

function envelopeItem(envelope) {
  const signed = envelope.signers.filter((signer) => signer.mark).length;
  const late = !envelope.declined && Date.now() - (envelope.reminded ?? envelope.sent) > config.reminder_days * Kit.DAY;
  const others = envelope.signers.filter((signer) => !signer.mark && signer.name !== ME);
  const remind = late && others.length > 0 && el("button", { type: "button", on: { click: async (event) => {
    event.target.disabled = true;
    envelope.reminded = Date.now();
    await record(envelope, `Reminded ${others.map((signer) => signer.name).join(" and ")}`);
    Kit.say("Reminder sent.");
  } } }, "Send a reminder");
  return el("li", { class: "card envelope" },
    el("div", { class: "row spread" }, el("h2", {}, el("a", { href: `document.html?id=${envelope.id}` }, envelope.title)), statusTag(envelope)),
    el("p", { class: "soft" }, `${envelope.id}, from ${envelope.from}, sent ${Kit.day(envelope.sent)}`),
    el("div", { class: "row" },
      el("progress", { class: "progress", max: envelope.signers.length, value: signed, "aria-label": "Signatures" }),
      el("span", {}, `${signed} of ${envelope.signers.length} signed`),
      el("a", { href: `audit.html?id=${envelope.id}` }, "Audit trail", el("span", { class: "visually-hidden" }, ` of ${envelope.title}`)), remind));
}

async function start() {
  config = await Kit.settings(DEFAULTS);
  box = Kit.store("com.example.esign/2", firstState);
  $("#organisation").textContent = config.organisation;
  await PAGES[document.body.dataset.page]();
}
start();
