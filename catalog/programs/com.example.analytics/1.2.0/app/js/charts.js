// Charts as SVG. Each is an image with a name for screen readers; pages put the same numbers in a table beside it.
const Charts = (() => {
  const { svg } = Kit;
  // As wide as the screen up to 640, so that the letters stay as large as others on a phone.
  const WIDTH = Math.min(640, Math.max(320, document.documentElement.clientWidth - 66));
  const LEFT = 52;

  /** Round numbers for an axis from `low` to `high`. */
  function ticks(low, high, count = 4) {
    const rough = (high - low || 1) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
    const first = Math.floor(low / step) * step;
    const list = [first];
    while (list.at(-1) < high) list.push(list.at(-1) + step);
    return list;
  }

  function frame(height, label, values, text, from = 0) {
    const marks = ticks(Math.min(from, ...values), Math.max(...values));
    const [low, high] = [marks[0], marks.at(-1)];
    const y = (value) => 10 + (1 - (value - low) / (high - low)) * (height - 36);
    const root = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label },
      marks.map((mark) => [
        svg("line", { class: mark === 0 ? "rule zero" : "rule", x1: LEFT, x2: WIDTH, y1: y(mark), y2: y(mark) }),
        svg("text", { x: LEFT - 6, y: y(mark) + 4, "text-anchor": "end" }, text(mark)),
      ]).flat());
    return { root, y, bottom: y(low) };
  }

  /** Names below the chart, as many as fit. */
  function below(root, names, x, height) {
    const room = Math.floor(WIDTH / 90);
    const every = Math.ceil(names.length / room);
    names.forEach((name, index) => {
      const anchor = index === names.length - 1 && names.length > room ? "end" : "middle";
      if ((names.length - 1 - index) % every === 0) root.append(svg("text", { x: x(index), y: height - 6, "text-anchor": anchor }, name));
    });
  }

  /** `rows`: [{ name, value }]. */
  function bars(rows, { label, text, height = 220 }) {
    const { root, y, bottom } = frame(height, label, rows.map((row) => row.value), text);
    const slot = (WIDTH - LEFT) / rows.length;
    const x = (index) => LEFT + slot * (index + 0.5);
    rows.forEach((row, index) => root.append(svg("rect", { class: "bar-mark", x: x(index) - slot * 0.34, width: slot * 0.68, y: y(row.value), height: Math.max(0, bottom - y(row.value)), rx: 3 },
      svg("title", {}, `${row.name}: ${text(row.value)}`))));
    below(root, rows.map((row) => row.name), x, height);
    return root;
  }

  /** `lines`: [{ name, values, quiet }], all equally long; `names` stand below. `bands`: [{ low, high }] behind the lines. */
  function lines(list, names, { label, text, height = 240, bands = [], from = 0 }) {
    const all = [...list.flatMap((line) => line.values), ...bands.flatMap((band) => [...band.low, ...band.high])];
    const { root, y } = frame(height, label, all, text, from);
    const last = Math.max(1, names.length - 1);
    const x = (index) => LEFT + 8 + (index / last) * (WIDTH - LEFT - 16);
    const path = (values) => values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
    bands.forEach((band) => root.append(svg("polygon", { class: "band", points: [...path(band.high), ...path(band.low).reverse()].join(" ") })));
    list.forEach((line) => {
      root.append(svg("polyline", { class: line.quiet ? "line quiet" : "line", points: path(line.values).join(" ") }));
      if (!line.quiet && names.length <= 40) {
        line.values.forEach((value, index) => root.append(svg("circle", { class: "dot", cx: x(index), cy: y(value), r: 3.5 }, svg("title", {}, `${names[index]}: ${text(value)}`))));
      }
    });
    below(root, names, x, height);
    return root;
  }

  /** A line without axes, for a tile. */
  function spark(values) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const points = values.map((value, index) => `${(index / (values.length - 1)) * 100},${28 - ((value - low) / (high - low || 1)) * 26}`);
    return svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("polyline", { class: "line", points: points.join(" ") }));
  }

  /** `grid`: rows of numbers; the darker a cell, the larger its number. */
  function heat(grid, rows, columns, { label }) {
    const most = Math.max(...grid.flat());
    const [wide, high] = [(WIDTH - 44) / columns.length, 26];
    const root = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${rows.length * high + 24}`, role: "img", "aria-label": label });
    grid.forEach((line, row) => {
      root.append(svg("text", { x: 0, y: row * high + 18 }, rows[row]));
      line.forEach((value, column) => root.append(svg("rect", {
        class: "cell", x: 44 + column * wide, y: row * high + 1, width: wide - 2, height: high - 2, rx: 3, "fill-opacity": (0.06 + 0.94 * (value / most)).toFixed(2),
      }, svg("title", {}, `${rows[row]} ${columns[column]}: ${Math.round((value / most) * 100)} % of the busiest hour`))));
    });
    columns.forEach((name, column) => column % (WIDTH < 480 ? 4 : 2) === 0 && root.append(svg("text", { x: 44 + (column + 0.5) * wide, y: rows.length * high + 16, "text-anchor": "middle" }, name)));
    return root;
  }

  return { bars, lines, spark, heat };
})();
