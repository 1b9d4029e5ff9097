// Instants as seconds since 1970, and durations in seconds.

/** Reads `2026-12-31T18:00:00Z`, in that spelling and no other; null when it is no such instant. */
export function instant(text) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(text);
  if (!parts) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  return spelled(date.getTime() / 1000) === text ? date.getTime() / 1000 : null;
}

/** The text of an instant. */
export const spelled = (seconds) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");

/** Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds; null when it is none. */
export function duration(text) {
  const parts = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (!parts) return null;
  const [weeks, days, hours, minutes, seconds] = parts.slice(1).map((it) => Number(it ?? 0));
  const all = (7 * weeks + days) * 86400 + hours * 3600 + minutes * 60 + seconds;
  return all <= 315_360_000_000 ? all : null;
}
