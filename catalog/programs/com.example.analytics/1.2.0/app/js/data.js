// Figures of Fennwick Supply. There is no server behind this example: each value follows from the figure, the place and the day.
const DEFAULTS = { default_period: "month", kpis: ["spend", "claims", "approval_hours", "over_policy"], organisation: "Fennwick Supply" };

const SITES = ["Linden Street", "Harbour", "Eastgate", "Head office"];
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** For each period: how many columns a chart has, how many days each of them stands for, and the period's words. */
const PERIODS = { week: [7, 1, "the last week"], month: [30, 1, "the last 30 days"], quarter: [13, 7, "the last quarter"], year: [12, 30, "the last year"] };

/** Name, what the number is, a usual value for one place and day, whether days add up (sum) or not (mean), and which way is good. */
const FIGURES = {
  spend: ["Spend on claims", "money", 640, "sum", "down"],
  claims: ["Claims sent in", "count", 9, "sum", "none"],
  approval_hours: ["Hours until approval", "hours", 21, "mean", "down"],
  over_policy: ["Claims against the policy", "percent", 11, "mean", "down"],
  revenue: ["Revenue", "money", 18400, "sum", "up"],
  basket_size: ["Basket size", "money", 37, "mean", "up"],
  footfall: ["Footfall", "count", 820, "sum", "up"],
  returns: ["Returns", "count", 24, "sum", "down"],
  churn: ["Churn", "percent", 2.1, "mean", "down"],
  activations: ["Activations", "count", 130, "sum", "up"],
  tickets_open: ["Open tickets", "count", 48, "mean", "down"],
  occupancy: ["Occupancy", "percent", 74, "mean", "up"],
  average_rate: ["Average rate", "money", 118, "mean", "up"],
  claims_open: ["Open claims", "count", 210, "mean", "down"],
  claims_settled: ["Settled claims", "count", 34, "sum", "up"],
  punctuality: ["Punctuality", "percent", 91, "mean", "up"],
  passengers: ["Passengers", "count", 5200, "sum", "up"],
};

const Figures = (() => {
  const today = Math.floor(Date.now() / Kit.DAY);
  const meta = (key) => {
    const words = key.replaceAll("_", " ");
    const [name, unit, base, mode, good] = FIGURES[key] ?? [words[0].toUpperCase() + words.slice(1), "count", 40 + (hash(key) % 200), "mean", "none"];
    return { key, name, unit, base, mode, good };
  };
  /** FNV-1a and a last stirring: the same text always gives the same number. */
  function hash(text) {
    let value = 0x811c9dc5;
    for (const letter of text) value = Math.imul(value ^ letter.codePointAt(0), 0x01000193) >>> 0;
    value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) >>> 0;
    return (value ^ (value >>> 13)) >>> 0;
  }
  const noise = (...parts) => (hash(parts.join("/")) / 0xffffffff) * 2 - 1;

  /** The value of one place on one day; `ago` is days back from today. */
  function value(figure, site, ago) {
    const date = today - ago;
    const weekday = (date + 3) % 7;
    const scale = [1.25, 1.05, 0.85, 0.6][SITES.indexOf(site)];
    const swing = Math.sin((date / 365) * 2 * Math.PI + hash(figure.key) % 6) * 0.14;
    const trend = noise(figure.key, site) * 0.0006 * -ago;
    const shape = 1 + swing + trend + noise(figure.key, site, date) * 0.16;
    if (figure.unit === "percent") return Math.min(99.5, figure.base * (0.94 + scale * 0.06) * (1 + (shape - 1) * (figure.base > 50 ? 0.25 : 0.9)));
    const week = figure.mode === "sum" ? [1.1, 1.12, 1.08, 1.05, 1.15, 0.8, 0.5][weekday] : 1;
    const size = figure.mode === "sum" ? scale : 0.9 + scale * 0.1;
    return Math.max(0, figure.base * size * week * shape);
  }

  function total(figure, sites, from, days) {
    let sum = 0;
    for (const site of sites) for (let ago = from; ago < from + days; ago += 1) sum += value(figure, site, ago);
    return figure.mode === "sum" ? sum : sum / (sites.length * days);
  }

  /** The columns of a period, oldest first; with `back` set, those of the period before. */
  function series(figure, sites, period, back = 0) {
    const [columns, days] = PERIODS[period];
    return Array.from({ length: columns }, (_, index) => {
      const from = (columns - 1 - index + back * columns) * days;
      return { at: (today - from) * Kit.DAY, value: total(figure, sites, from, days) };
    });
  }
  const whole = (figure, sites, period, back = 0) => total(figure, sites, back * PERIODS[period][0] * PERIODS[period][1], PERIODS[period][0] * PERIODS[period][1]);

  /** Seven days by the hours from six to nine in the evening, each as a share of the busiest. */
  function hours(figure, sites, period) {
    const peak = 9 + (hash(figure.key) % 6);
    return WEEKDAYS.map((name, weekday) => Array.from({ length: 16 }, (_, index) => {
      const hour = index + 6;
      const wave = Math.exp(-(((hour - peak) / 3) ** 2)) + 0.6 * Math.exp(-(((hour - 18) / 2) ** 2));
      const quiet = weekday === 6 ? 0.3 : weekday === 5 ? 0.6 : 1;
      return wave * quiet * (1 + 0.25 * noise(figure.key, sites.join(), period, weekday, hour));
    }));
  }

  function text(figure, number) {
    if (figure.unit === "percent") return `${number.toFixed(1)} %`;
    if (figure.unit === "hours") return `${number.toFixed(1)} h`;
    const short = number >= 10000 ? { notation: "compact", maximumFractionDigits: 1 } : { maximumFractionDigits: number < 100 ? 1 : 0 };
    return new Intl.NumberFormat("en-GB", short).format(number);
  }
  const change = (now, before) => (before === 0 ? 0 : ((now - before) / before) * 100);

  return { meta, series, whole, hours, text, change };
})();
