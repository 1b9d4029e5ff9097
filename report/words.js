// Numbers, instants and sentences as people read them.

const DAY = 86_400_000;

export const number = (count) => count.toLocaleString("en");

/** `1 tenant`, `2 tenants`. */
export const counted = (count, noun) => `${number(count)} ${count === 1 ? noun : noun.endsWith("ss") ? `${noun}es` : `${noun}s`}`;

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, by] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / by).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} ${unit}`;
}

/** `2026-12-15`, with the time of day only where there is one. All instants are UTC. */
export function date(instant) {
  const [day, time] = instant.split("T");
  return !time || time.startsWith("00:00:00") ? day : `${day} ${time.slice(0, 5)} UTC`;
}

/** Whole days from one instant to another, rounded down: what has less than a day left has none. */
export const daysBetween = (from, to) => Math.floor((new Date(to) - from) / DAY);

/** `in 12 days`, `in 3 h 20 min`, `4 days ago`. */
export function away(instant, now) {
  const left = new Date(instant) - now;
  const far = Math.abs(left);
  const minutes = Math.floor(far / 60_000);
  const hours = Math.floor(minutes / 60);
  const text = far >= 2 * DAY ? counted(Math.floor(far / DAY), "day") : hours >= 1 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
  if (minutes === 0) return "now";
  return left >= 0 ? `in ${text}` : `${text} ago`;
}

/** What stands between backticks is somebody's name; `fill` puts in what a template leaves open, so a name may have backticks of its own. */
export function pieces(text, fill = (part) => part) {
  return text.split("`").map((part, at) => ({ text: fill(part), isName: at % 2 === 1 })).filter((it) => it.text !== "");
}

/** `permission_added` as words. */
export const spaced = (slug) => slug.replaceAll("_", " ");

/** Searching minds neither case nor accents. */
export const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
