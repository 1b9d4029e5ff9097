// The simulation: many paths of revenue with chance in them, and the cash that follows from each.
const Model = (() => {
  const PATHS = 1000;

  /** Mulberry32: the same seed gives the same numbers, so that two scenarios meet the same luck. */
  function random(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }
  /** A standard normal number (Box and Muller). */
  const normal = (next) => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

  /** Cash month by month on one path; `chance` gives the month's shock. */
  function path(start, levers, chance) {
    const cash = [start.cash];
    const sigma = levers.spread / 100 / Math.sqrt(12);
    let level = 1;
    for (let month = 1; month <= levers.horizon; month += 1) {
      level *= Math.exp(Math.log(1 + levers.growth / 100) / 12 + sigma * chance() - (sigma * sigma) / 2);
      const price = month >= 3 ? 1 + levers.price / 100 : 1;
      const volume = price ** ELASTICITY;
      const date = new Date(new Date().getFullYear(), new Date().getMonth() + month, 1);
      const season = 1 + (start.season / 100) * Math.cos(((date.getMonth() - 10) / 12) * 2 * Math.PI);
      const sold = start.revenue * level * season * volume;
      const dearer = (1 + levers.inflation / 100) ** (month / 12);
      const people = (start.people + (month >= 4 ? levers.hires * HIRE_COST : 0)) * dearer;
      const invest = month === 6 ? levers.invest : 0;
      cash.push(cash.at(-1) + sold * (price - start.variable / 100) - people - start.rent * dearer - invest);
    }
    return cash;
  }

  const quantile = (sorted, share) => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low] + (sorted[Math.ceil(place)] - sorted[low]) * (place - low);
  };

  function run(start, levers) {
    const next = random(20260801);
    const paths = Array.from({ length: PATHS }, () => path(start, levers, () => normal(next)));
    const months = Array.from({ length: levers.horizon + 1 }, (_, month) => Float64Array.from(paths, (cash) => cash[month]).sort());
    const at = (share) => months.map((values) => quantile(values, share));
    const short = paths.filter((cash) => cash.some((value) => value < start.floor)).length / PATHS;
    return { p5: at(0.05), p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95), short, expected: path(start, levers, () => 0) };
  }

  return { run, PATHS };
})();
