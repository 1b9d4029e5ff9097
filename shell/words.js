// What a person reads. Codes are those of `docs/client.md`.

const date = (seconds) => new Date(seconds * 1000).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
const time = (seconds) => new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

export const spell = { date, time };

/** Bytes as people say them. */
export function size(bytes) {
  const [unit, by] = bytes < 1e6 ? ["kB", 1e3] : ["MB", 1e6];
  return `${(bytes / by).toLocaleString(undefined, { maximumFractionDigits: 1 })} ${unit}`;
}

const REFUSED = {
  signatures: () => "What the server offers is not signed by your vendor.",
  "foreign-tenant": () => "The server gave out files that were made for another organisation.",
  expired: ({ at }) => `What the server offers was only good until ${at ? time(at) : "a day that has passed"}. If the clock of this device is right, newer files are being kept from it.`,
  rollback: () => "The server offers an older state than this device has already seen.",
  version: () => "The server offers another version than the signed files name.",
  "mixed-up": () => "Files on the server do not belong together.",
  damaged: () => "A file arrived changed: it is not the one that your vendor signed.",
  missing: () => "A file that belongs to the update is missing on the server.",
  manifest: () => "The list of programs is signed, but it is not one for this device.",
  "not-metadata": () => "The server answers with something that is no publication.",
  "not-our-server": () => "Something else than your vendor's server answers. You may have to sign in to the network first.",
  redirected: () => "The server sends this device to another place, which is not followed.",
  "too-long": () => "The server sends more than it should.",
  incomplete: () => "The publication on the server is incomplete.",
  "many-roots": () => "There are many new signing keys; the next check goes on from here.",
};

const FAILED = {
  unreachable: "There is no connection to the server.",
  "cut-short": "The connection broke off.",
  busy: "Another page of this browser shows another organisation.",
  "too-slow": "The connection is too slow at the moment.",
  server: "The server has a problem.",
  "disk-full": "The storage of this browser is full.",
  disk: "The storage of this browser cannot be written.",
};

/** A failed check for updates: `{ kind, title, text }`. */
export function trouble(error) {
  const kept = error.kept ? "Your programs stay as they are and keep working." : "Nothing of it was kept.";
  if (Object.hasOwn(REFUSED, error.code)) {
    return { kind: "refused", title: error.kept ? "Update refused" : "Refused", text: `${REFUSED[error.code](error)} ${kept}` };
  }
  const text = FAILED[error.code] ?? error.message;
  return { kind: "away", title: error.kept ? "Not checked" : "Not reachable", text: error.kept ? `${text} ${kept}` : text };
}

/** Why a program does not run: a few words, and a sentence. */
export function verdict({ is, mode, at }) {
  return {
    runs: ["", ""],
    arriving: ["", "It is on its way."],
    revoked: ["Withdrawn", mode === "drain" ? "It was withdrawn and can no longer be started." : "It was withdrawn and had to stop."],
    lost: ["Not yours any more", "Your organisation no longer has this program."],
    not_begun: ["From " + (at ? date(at) : ""), `It can be used from ${at ? date(at) : "a later day"} on.`],
    ended: ["Ended", `It could be used until ${at ? time(at) : "a day that has passed"}.`],
    too_old: ["Needs an update", "This version may not be started any more. It will be replaced with the next update."],
    grace_over: ["Needs a connection", "This device was offline for too long. Connect it once to go on."],
    no_release: ["Not for this shell", "There is no version for this shell."],
    not_installed: ["Get", "It is fetched when you ask for it."],
    damaged: ["Damaged", "Its files were changed on this device. They will be fetched again."],
  }[is];
}

const PERMISSIONS = {
  camera: "take pictures",
  "clipboard.write": "copy to the clipboard",
  "contacts.read": "read your contacts",
  "files.read": "open files that you choose",
  "files.write": "save files on this device",
  "location.coarse": "know roughly where you are",
  "location.precise": "know exactly where you are",
  microphone: "record sound",
  notifications: "show notifications",
};

/** What a permission lets a program do. */
export const permission = (name) => PERMISSIONS[name] ?? `use “${name}”`;

/** What an update brought, in a sentence; empty when nobody would notice. */
export function news({ gained, lost, changed }) {
  const names = (programs) => programs.map((it) => it.name).join(", ");
  return [
    gained.length > 0 && `New: ${names(gained)}.`,
    changed.length > 0 && `Updated: ${names(changed)}.`,
    lost.length > 0 && `Gone: ${names(lost)}.`,
  ].filter(Boolean).join(" ");
}
