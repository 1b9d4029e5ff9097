const { el, $, fill } = Kit;
const usual = () => Object.fromEntries(LEVERS.map(([key, , , , , , value]) => [key, value]));
const startValues = () => Object.fromEntries(Object.entries(START).map(([key, [, value]]) => [key, value]));
const box = Kit.store("com.example.forecast/1", () => ({
  start: startValues(),
  levers: usual(),
  saved: Object.entries(READY).map(([name, changes]) => ({ name, levers: { ...usual(), ...changes } })),
}));

const money = (value) => {
  const text = Math.abs(value) >= 1000 ? `${(Math.abs(value) / 1000).toFixed(2)} m€` : `${Math.round(Math.abs(value))} k€`;
  return value < 0 ? `−${text}` : text;
};
const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.01 ? 1 : 0)} %`;
const months = (count) => Array.from({ length: count + 1 }, (_, month) => {
  const date = new Date(new Date().getFullYear(), new Date().getMonth() + month, 1);
  return date.toLocaleDateString("en-GB", { month: "short", year: "2-digit" });
});
const risk = (share) => (share < 0.05 ? "good" : share < 0.2 ? "warn" : "bad");

function fan(result, horizon, label) {
  return Charts.lines([{ values: result.p50 }, { values: result.p50.map(() => box.state.start.floor), quiet: true }], months(horizon), {
    label, text: money, height: 300, bands: [{ low: result.p5, high: result.p95 }, { low: result.p25, high: result.p75 }],
  });
}

const pages = {
  index() {
    const { levers } = box.state;
    const unit = (value, text) => `${value}${text ? ` ${text}` : ""}`;
    const inputs = {};
    const draw = () => {
      const result = Model.run(box.state.start, levers);
      const last = (list) => list.at(-1);
      const names = months(levers.horizon);
      const words = `Cash until ${names.at(-1)}: ${money(last(result.p50))} in the middle, between ${money(last(result.p5))} and ${money(last(result.p95))} in nine of ten futures`;
      fill($("#chart"), fan(result, levers.horizon, words));
      $("#words").textContent = `${words}.`;
      const tile = (name, figure, tone = "") => el("div", { class: "card" }, el("span", { class: "soft" }, name), el("span", { class: `figure ${tone}` }, figure));
      fill($("#tiles"), tile("In the middle", money(last(result.p50))), tile("One in twenty is below", money(last(result.p5))),
        tile("One in twenty is above", money(last(result.p95))), tile(`Ever below ${money(box.state.start.floor)}`, percent(result.short), risk(result.short)));
      const step = Math.max(1, Math.round(levers.horizon / 6));
      fill($("#numbers"), names.map((name, month) => month % step === 0 && el("tr", {}, el("th", { scope: "row" }, name),
        [result.p5, result.p25, result.p50, result.p75, result.p95].map((list) => el("td", { class: "number" }, money(list[month]))))));
    };
    let due = 0;
    const soon = () => {
      cancelAnimationFrame(due);
      due = requestAnimationFrame(draw);
    };
    const show = () => LEVERS.forEach(([key, , text]) => {
      inputs[key].value = levers[key];
      $(`#${key}-value`).textContent = unit(levers[key], text);
      inputs[key].setAttribute("aria-valuetext", unit(levers[key], text));
    });
    const set = (values) => {
      Object.assign(levers, values);
      box.save();
      show();
      draw();
    };
    fill($("#levers"), LEVERS.map(([key, name, , min, max, step]) => {
      inputs[key] = el("input", { type: "range", id: key, min, max, step, on: {
        input: () => {
          levers[key] = Number(inputs[key].value);
          show();
          soon();
        },
        change: () => box.save(),
      } });
      return el("div", { class: "field" }, el("div", { class: "row spread" }, el("label", { for: key }, name), el("output", { id: `${key}-value`, for: key })), inputs[key]);
    }));
    fill($("#ready"), box.state.saved.map((scenario) => el("button", { type: "button", on: { click: () => set(scenario.levers) } }, scenario.name)));
    Kit.onSubmit($("#save"), (data, form) => {
      const name = data.name.trim();
      box.state.saved = [...box.state.saved.filter((one) => one.name !== name), { name, levers: { ...levers } }];
      box.save();
      form.reset();
      Kit.say(`“${name}” is saved. You find it under Compare.`);
    });
    $("#usual").addEventListener("click", () => set(usual()));
    show();
    draw();
  },

  compare() {
    function draw() {
      const results = box.state.saved.map((scenario) => ({ ...scenario, result: Model.run(box.state.start, scenario.levers) }));
      const horizon = Math.min(...results.map((one) => one.levers.horizon));
      $("#note").textContent = results.length === 0 ? "No scenario is saved. Save one on the first page."
        : `All at month ${horizon}, where the shortest of them ends. Every scenario meets the same ${Model.PATHS} chances.`;
      fill($("#rows"), results.map(({ name, levers, result }) => el("tr", {},
        el("th", { scope: "row" }, name, el("span", { class: "soft block" }, `growth ${levers.growth} %, ${levers.hires} new people, ${money(levers.invest)} invested`)),
        el("td", { class: "number" }, money(result.p5[horizon])), el("td", { class: "number" }, money(result.p50[horizon])), el("td", { class: "number" }, money(result.p95[horizon])),
        el("td", { class: "number" }, el("span", { class: `tag ${risk(result.short)}` }, percent(result.short))),
        el("td", {}, el("span", { class: "row tools" },
          el("button", { type: "button", on: { click: () => {
            Object.assign(box.state.levers, levers);
            box.save();
            location.href = "index.html";
          } } }, "Open", el("span", { class: "visually-hidden" }, ` ${name}`)),
          el("button", { type: "button", on: { click: () => {
            box.state.saved = box.state.saved.filter((one) => one.name !== name);
            box.save();
            draw();
          } } }, "Remove", el("span", { class: "visually-hidden" }, ` ${name}`)))))));
      fill($("#fans"), results.map(({ name, levers, result }) => el("figure", { class: "card" }, el("figcaption", {}, el("h2", {}, name)),
        fan(result, levers.horizon, `${name}: ${money(result.p50.at(-1))} in the middle after ${levers.horizon} months`))));
    }
    draw();
  },

  assumptions() {
    const form = $("#form");
    const draw = () => fill($("#fields"), Object.entries(START).map(([key, [name, , why]]) => {
      const share = key === "variable" || key === "season";
      return el("div", { class: "field" }, el("label", { for: key }, `${name} (${share ? "%" : "k€"})`),
        el("input", { type: "number", id: key, name: key, required: true, min: key === "cash" ? -100000 : 0, max: share ? 100 : 1000000, step: "any", value: box.state.start[key], "aria-describedby": `${key}-why` }),
        el("p", { class: "soft", id: `${key}-why` }, why));
    }));
    Kit.onSubmit(form, (data) => {
      for (const key of Object.keys(START)) box.state.start[key] = Number(data[key]);
      box.save();
      Kit.say("Saved. Every scenario starts from here now.");
    });
    $("#back").addEventListener("click", () => {
      box.state.start = startValues();
      box.save();
      draw();
      Kit.say("Back to the figures of Fennwick Supply.");
    });
    $("#hire").textContent = `${HIRE_COST} k€`;
    $("#elasticity").textContent = String(ELASTICITY).replace("-", "−");
    $("#paths").textContent = String(Model.PATHS);
    draw();
  },
};

pages[document.body.dataset.page]();
