const { el, $, fill } = Kit;
let box, config;

const visit = () => box.state.visit;
const newVisit = (site = 0) => ({ site, started: Date.now(), answers: {}, findings: [], signature: null });
const firstState = () => ({ visit: newVisit() });
const answered = () => POINTS.filter(([key]) => visit().answers[key]).length;
const failed = () => POINTS.filter(([key]) => visit().answers[key] === "fail");
const pointName = (key) => POINTS.find(([one]) => one === key)?.[1] ?? "Something else";
const options = (select, entries) => select.append(...entries.map(([key, name]) => el("option", { value: key }, name)));

/** Share of the points in order among those that are here, in per cent. */
function score() {
  const here = Object.values(visit().answers).filter((answer) => answer !== "na");
  return here.length === 0 ? 0 : Math.round((here.filter((answer) => answer === "pass").length / here.length) * 100);
}

function severityTag(index) {
  const level = Math.min(index, config.severity_levels.length - 1);
  const tone = level === config.severity_levels.length - 1 ? "bad" : level === 0 ? "" : "warn";
  return el("span", { class: `tag ${tone}` }, config.severity_levels[level]);
}

function verdict() {
  const worst = visit().findings.some((finding) => finding.severity >= config.severity_levels.length - 1);
  if (worst) return ["Failed", "bad"];
  return visit().findings.length > 0 || failed().length > 0 ? ["Passed with findings", "warn"] : ["Passed", "good"];
}

function findingCard(finding, ...below) {
  return el("li", { class: "card finding" },
    el("div", { class: "row spread" }, el("h3", {}, finding.title), severityTag(finding.severity)),
    el("p", { class: "soft" }, pointName(finding.point)),
    finding.note && el("p", {}, finding.note),
    finding.place && el("p", { class: "soft" }, `At ${finding.place.lat.toFixed(5)}, ${finding.place.lon.toFixed(5)}, within ${finding.place.within} m`),
    finding.photo && Photo.show(finding.photo, `Picture of: ${finding.title}`),
    below);
}

/** A field to sign in with a finger, a pen or a mouse. */
function pad(canvas, changed) {
  const pen = canvas.getContext("2d");
  Object.assign(pen, { lineWidth: 2.5, lineCap: "round", lineJoin: "round", strokeStyle: "#12203a" });
  let drawing = false;
  const at = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [((event.clientX - frame.left) / frame.width) * canvas.width, ((event.clientY - frame.top) / frame.height) * canvas.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    pen.lineTo(...at(event));
    pen.stroke();
    changed(true);
  });
  ["pointerup", "pointercancel"].forEach((type) => canvas.addEventListener(type, () => { drawing = false; }));
  return () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    changed(false);
  };
}

const pages = {
  index() {
    $("#title").textContent = config.checklist_title;
    const select = $("#site");
    options(select, SITES.map((name, index) => [index, name]));
    select.value = visit().site;
    const signed = visit().signature !== null;
    select.disabled = signed;
    $("#locked").hidden = !signed;
    select.addEventListener("change", () => {
      visit().site = Number(select.value);
      box.save();
    });

    function progress() {
      $("#progress").max = POINTS.length;
      $("#progress").value = answered();
      $("#progress-text").textContent = `${answered()} of ${POINTS.length} points, ${failed().length} not in order, ${visit().findings.length} findings`;
    }
    function point([key, what, how]) {
      const more = el("p", { class: "more" });
      const draw = () => fill(more, visit().answers[key] === "fail" && !signed && el("a", { href: `findings.html?point=${key}` }, "Note what you found"));
      draw();
      return el("fieldset", { class: "point", disabled: signed }, el("legend", {}, what), el("p", { class: "soft" }, how),
        el("div", { class: "choices" }, Object.entries(ANSWERS).map(([value, name]) => el("label", { class: `choice ${value}` },
          el("input", { type: "radio", name: key, value, checked: visit().answers[key] === value, on: { change: () => {
            visit().answers[key] = value;
            box.save();
            draw();
            progress();
          } } }), name))), more);
    }
    fill($("#checklist"), CHECKLIST.map(([name, points]) => el("section", { class: "card" }, el("h2", {}, name), points.map(point))));
    progress();
  },

  findings() {
    const form = $("#form");
    const signed = visit().signature !== null;
    form.hidden = signed;
    $("#locked").hidden = !signed;
    options(form.elements.point, [...POINTS.map(([key, what]) => [key, what]), ["", "Something else"]]);
    options(form.elements.severity, config.severity_levels.map((name, index) => [index, name]));
    form.elements.point.value = Kit.param("point") ?? "";
    let photo = null;
    let place = null;

    function draw() {
      $("#count").textContent = visit().findings.length === 0 ? "Nothing found so far." : "";
      fill($("#findings"), visit().findings.map((finding) => findingCard(finding, !signed && el("button", { type: "button", on: { click: () => {
        visit().findings = visit().findings.filter((one) => one !== finding);
        box.save();
        draw();
      } } }, "Remove", el("span", { class: "visually-hidden" }, ` ${finding.title}`)))));
    }
    form.elements.photo.addEventListener("change", async (event) => {
      const [file] = event.target.files;
      photo = null;
      try {
        if (file) photo = await Photo.read(file);
      } catch {
        Kit.say("This file is not a picture.");
        event.target.value = "";
      }
      fill($("#preview"), photo && Photo.show(photo, "Your picture"));
    });
    const located = (text) => { $("#place").textContent = text; };
    $("#locate").addEventListener("click", () => {
      if (!navigator.geolocation) return located("This device does not know where it is.");
      located("Looking…");
      return navigator.geolocation.getCurrentPosition(({ coords }) => {
        place = { lat: coords.latitude, lon: coords.longitude, within: Math.round(coords.accuracy) };
        located(`Noted, within ${place.within} m.`);
      }, () => located("No position. You can go on without it."), { enableHighAccuracy: true, timeout: 10000 });
    });
    Kit.onSubmit(form, (data) => {
      visit().findings.push({
        title: data.title.trim(), point: data.point, severity: Number(data.severity), note: data.note.trim(), photo, place, at: Date.now(),
      });
      if (data.point) visit().answers[data.point] = "fail";
      box.save();
      form.reset();
      [photo, place] = [null, null];
      fill($("#preview"));
      located("");
      draw();
      Kit.say("Noted.");
    });
    draw();
  },

  report() {
    const tile = (name, figure) => el("div", { class: "card" }, el("span", { class: "soft" }, name), el("span", { class: "figure" }, figure));
    const signature = visit().signature;
    const [text, tone] = verdict();
    $("#title").textContent = `${config.checklist_title}: report`;
    $("#where").textContent = `${config.organisation} · ${SITES[visit().site]} · ${Kit.stamp(signature?.at ?? Date.now())}`;
    fill($("#tiles"),
      tile("Result", answered() < POINTS.length ? "Not finished" : text), tile("Score", `${score()} %`),
      tile("Points looked at", `${answered()} of ${POINTS.length}`), tile("Findings", String(visit().findings.length)));
    $("#tiles .figure").classList.add(answered() < POINTS.length ? "open" : tone);
    fill($("#points"), POINTS.map(([key, what]) => {
      const answer = visit().answers[key];
      const mark = { pass: "good", fail: "bad" }[answer] ?? "";
      return el("tr", {}, el("th", { scope: "row" }, what), el("td", {}, answer ? el("span", { class: `tag ${mark}` }, ANSWERS[answer]) : "–"));
    }));
    fill($("#findings"), visit().findings.map((finding) => findingCard(finding)));
    $("#no-findings").hidden = visit().findings.length > 0;

    $("#sign").hidden = signature !== null;
    if (signature) {
      fill($("#signed"), el("p", {}, `Signed by ${signature.by} on ${Kit.stamp(signature.at)}.`),
        signature.drawn && Photo.show(signature.drawn, `Signature of ${signature.by}`),
        el("button", { type: "button", class: "primary", on: { click: () => {
          box.state.visit = newVisit(visit().site);
          box.save();
          location.href = "index.html";
        } } }, "Start the next inspection"));
    }
    const canvas = $("#pad");
    let drawn = false;
    const clear = pad(canvas, (some) => { drawn = some; });
    $("#clear").addEventListener("click", clear);
    $("#name").value = ME;
    Kit.onSubmit($("#sign"), (data) => {
      if (answered() < POINTS.length) {
        Kit.say(`${POINTS.length - answered()} points are still open.`);
        return;
      }
      if (!drawn && !data.typed) {
        Kit.say("Draw your signature, or tick the box that your name stands for it.");
        return;
      }
      visit().signature = { by: data.name.trim(), at: Date.now(), drawn: drawn ? canvas.toDataURL() : null };
      box.save();
      location.reload();
    });
    $("#print").addEventListener("click", () => window.print());
  },
};

(async () => {
  config = await Kit.settings(DEFAULTS);
  box = Kit.store("com.example.inspection/3", firstState);
  pages[document.body.dataset.page]();
})();
