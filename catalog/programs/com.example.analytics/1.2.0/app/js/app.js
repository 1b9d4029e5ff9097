const { el, $, fill } = Kit;
let box, config;

const short = (time) => new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
const options = (select, entries) => select.append(...entries.map(([key, name]) => el("option", { value: key }, name)));
const chosenSites = () => (box.state.site && SITES.includes(box.state.site) ? [box.state.site] : SITES);
const period = () => (PERIODS[box.state.period] ? box.state.period : config.default_period);
const figures = () => config.kpis.map(Figures.meta);

/** The filters are on every page and stay as they were left. */
function filters(draw) {
  const form = $("#filters");
  options(form.elements.period, Object.entries(PERIODS).map(([key, [, , words]]) => [key, words[0].toUpperCase() + words.slice(1)]));
  options(form.elements.site, [["", "All places"], ...SITES.map((site) => [site, site])]);
  form.elements.period.value = period();
  form.elements.site.value = box.state.site ?? "";
  form.addEventListener("change", () => {
    box.state.period = form.elements.period.value;
    box.state.site = form.elements.site.value;
    box.save();
    draw();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  draw();
}

function changeTag(figure, now, before) {
  const change = Figures.change(now, before);
  const better = figure.good !== "none" && Math.abs(change) >= 0.5 && (change > 0) === (figure.good === "up");
  const tone = figure.good === "none" || Math.abs(change) < 0.5 ? "" : better ? "good" : "bad";
  const arrow = Math.abs(change) < 0.5 ? "→" : change > 0 ? "↑" : "↓";
  return el("span", { class: `tag ${tone}` }, `${arrow} ${Math.abs(change).toFixed(1)} %`, tone && el("span", { class: "visually-hidden" }, better ? " better than before" : " worse than before"));
}

/** A figure with a caption, its chart, and the chart's numbers for those who rather read. */
function chartCard(title, chart, head, rows) {
  return el("figure", { class: "card" }, el("figcaption", {}, el("h2", {}, title)), chart,
    rows && el("details", {}, el("summary", {}, "Show the numbers"), el("div", { class: "scroll" }, table(head, rows))));
}
const table = (head, rows) => el("table", {},
  el("thead", {}, el("tr", {}, head.map((name, index) => el("th", { scope: "col", class: index > 0 && "number" }, name)))),
  el("tbody", {}, rows.map(([first, ...rest]) => el("tr", {}, el("th", { scope: "row" }, first), rest.map((cell) => el("td", { class: "number" }, cell))))));

function lineCard(figure) {
  const now = Figures.series(figure, chosenSites(), period());
  const before = Figures.series(figure, chosenSites(), period(), 1);
  const text = (value) => Figures.text(figure, value);
  const names = now.map((column) => short(column.at));
  const chart = Charts.lines(
    [{ values: before.map((column) => column.value), quiet: true }, { values: now.map((column) => column.value) }], names,
    { label: `${figure.name} over ${PERIODS[period()][2]}, ${text(now[0].value)} at first and ${text(now.at(-1).value)} now`, text });
  const card = chartCard(`${figure.name} over time`, chart, ["Until", "Now", "Before"], now.map((column, index) => [names[index], text(column.value), text(before[index].value)]));
  card.insertBefore(el("p", { class: "soft legend" }, el("span", { class: "key" }), "This period ", el("span", { class: "key quiet" }), "The one before"), chart);
  return card;
}
function barCard(figure) {
  const rows = SITES.map((name) => ({ name, value: Figures.whole(figure, [name], period()) }));
  const text = (value) => Figures.text(figure, value);
  return chartCard(`${figure.name} by place`, Charts.bars(rows, { label: `${figure.name} by place: ${rows.map((row) => `${row.name} ${text(row.value)}`).join(", ")}`, text }),
    ["Place", figure.name], rows.map((row) => [row.name, text(row.value)]));
}
function heatCard(figure) {
  const grid = Figures.hours(figure, chosenSites(), period());
  const names = grid[0].map((_, index) => `${index + 6}`);
  const [row, column] = grid.flatMap((line, r) => line.map((value, c) => [r, c, value])).sort((a, b) => b[2] - a[2])[0];
  const best = `${WEEKDAYS[row]} at ${names[column]}:00`;
  const card = chartCard(`${figure.name}: when in the week`, Charts.heat(grid, WEEKDAYS, names, { label: `Hours of the week; the busiest is ${best}` }));
  card.append(el("p", { class: "soft" }, `Busiest: ${best}. Each cell is an hour; the stronger, the more.`));
  return card;
}

/** Comma-separated values as RFC 4180 has them; a cell that a spreadsheet would run as a formula is made plain text. */
function csv(rows) {
  const cell = (value) => {
    const text = typeof value === "string" && /^[=+\-@\t]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10e3);
  Kit.say(`${name} is on its way.`);
}

const pages = {
  index() {
    $("#organisation").textContent = config.organisation;
    const select = $("#focus");
    options(select, figures().map((figure) => [figure.key, figure.name]));
    if (config.kpis.includes(box.state.focus)) select.value = box.state.focus;
    const draw = () => {
      fill($("#tiles"), figures().map((figure) => {
        const [now, before] = [0, 1].map((back) => Figures.whole(figure, chosenSites(), period(), back));
        return el("a", { class: "card tile", href: `detail.html?figure=${figure.key}` }, el("span", { class: "soft" }, figure.name),
          el("span", { class: "figure" }, Figures.text(figure, now)), changeTag(figure, now, before),
          Charts.spark(Figures.series(figure, chosenSites(), period()).map((column) => column.value)));
      }));
      const figure = Figures.meta(select.value);
      fill($("#charts"), lineCard(figure), barCard(figure), heatCard(figure));
    };
    select.addEventListener("change", () => {
      box.state.focus = select.value;
      box.save();
      draw();
    });
    filters(draw);
  },

  detail() {
    const key = Kit.param("figure");
    const figure = Figures.meta(config.kpis.includes(key) ? key : config.kpis[0]);
    document.title = `${figure.name} · Analytics`;
    $("#title").textContent = figure.name;
    const text = (value) => Figures.text(figure, value);
    const rows = () => SITES.map((site) => {
      const [now, before] = [0, 1].map((back) => Figures.whole(figure, [site], period(), back));
      const days = Figures.series(figure, [site], period()).map((column) => column.value);
      return { site, now, before, low: Math.min(...days), high: Math.max(...days) };
    });
    filters(() => {
      const [now, before] = [0, 1].map((back) => Figures.whole(figure, chosenSites(), period(), back));
      fill($("#now"), el("span", { class: "figure" }, text(now)), changeTag(figure, now, before),
        el("span", { class: "soft" }, ` ${figure.mode === "sum" ? "in" : "on average over"} ${PERIODS[period()][2]}; ${text(before)} in the one before`));
      const data = table(["Place", "Now", "Before", "Change", "Lowest", "Highest"], rows().map((row) => [
        row.site, text(row.now), text(row.before), changeTag(figure, row.now, row.before), text(row.low), text(row.high)]));
      fill($("#charts"), lineCard(figure), heatCard(figure), el("section", { class: "card" }, el("h2", {}, "Place by place"), el("div", { class: "scroll" }, data)));
    });
    $("#csv").addEventListener("click", () => download(`${figure.key}-${period()}.csv`, csv([
      ["place", "now", "before", "lowest", "highest"], ...rows().map((row) => [row.site, ...[row.now, row.before, row.low, row.high].map((value) => value.toFixed(2))])])));
  },

  export() {
    const list = $("#figures");
    fill(list, figures().map((figure) => el("label", { class: "check" }, el("input", { type: "checkbox", name: "figure", value: figure.key, checked: true }), figure.name)));
    const text = () => {
      const chosen = [...list.querySelectorAll(":checked")].map((input) => Figures.meta(input.value));
      const columns = chosen.map((figure) => chosenSites().map((site) => ({ figure, site, values: Figures.series(figure, [site], period()) }))).flat();
      const lines = columns.flatMap(({ figure, site, values }) => values.map((column) => [new Date(column.at).toISOString().slice(0, 10), site, figure.key, column.value.toFixed(2)]));
      return csv([["until", "place", "figure", "value"], ...lines]);
    };
    const draw = () => {
      $("#preview").value = text();
      $("#count").textContent = `${text().trim().split("\r\n").length - 1} lines`;
    };
    list.addEventListener("change", draw);
    $("#csv").addEventListener("click", () => download(`analytics-${period()}.csv`, text()));
    filters(draw);
  },
};

(async () => {
  config = await Kit.settings(DEFAULTS);
  if (!PERIODS[config.default_period]) config.default_period = DEFAULTS.default_period;
  box = Kit.store("com.example.analytics/1", () => ({}));
  pages[document.body.dataset.page]();
})();
