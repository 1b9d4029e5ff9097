// What is shown stands in the address behind `#`, so that a link shows the same to somebody else.

/** `#matrix?plan=pro&cell=acme/com.example.chat` as `{ view, wanted }`. */
export function read(hash) {
  const [view, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  return { view, wanted: Object.fromEntries(new URLSearchParams(query)) };
}

/** The other way round. What is not said is left out. */
export function write(view, wanted = {}) {
  const said = Object.entries(wanted).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const spelled = (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":");
  const query = said.map(([name, value]) => `${spelled(name)}=${spelled(String(value))}`).join("&");
  return `#${view}${query && `?${query}`}`;
}
