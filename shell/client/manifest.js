// The manifest, held to the targets that name it; and what it says to one shell: a set.

import { sha256, text, utf8 } from "./bytes.js";
import { duration, instant } from "./time.js";
import { Trouble } from "./trouble.js";

/** The version of the format that is understood. */
const MAJOR = "1";

/** Longest manifest, and longest archive, in bytes. */
export const MAX = { manifest: 16 * 2 ** 20, archive: 256 * 2 ** 20 };

export const refused = (why) => new Trouble("manifest", `the manifest is refused: ${why}`);

/** Reads the bytes of a manifest, which are those that were signed for. */
export function readManifest(bytes) {
  try {
    const manifest = JSON.parse(text(bytes));
    checkShape(manifest);
    return manifest;
  } catch (error) {
    throw refused(`it cannot be understood: ${error.message}`);
  }
}

const isText = (it) => typeof it === "string";
const isMap = (it) => typeof it === "object" && it !== null && !Array.isArray(it);
const isCount = (it) => Number.isSafeInteger(it) && it >= 0;
const isList = (of) => (it) => Array.isArray(it) && it.every(of);
const isInstant = (it) => isText(it) && instant(it) !== null;
const isMaybe = (of) => (it) => it === undefined || it === null || of(it);
const isMapOf = (shape) => (it) => isMap(it) && Object.entries(shape).every(([name, fits]) => fits(it[name]));

const isVersion = isMapOf({ code: isCount, name: isText });
const isFile = isMapOf({ blake3: isHash, length: isCount, sha256: isHash, target: isText });
const FACE = {
  egress: isList(isText),
  ext: isMap,
  icons: isList(isMapOf({ src: isText })),
  name: isText,
  pages: (it) => isList(isText)(it) && it.length > 0,
  req_permissions: isList(isMapOf({ name: isText })),
  update_policy: isMapOf({ mode: isText, min_usable_version: isMaybe(isCount) }),
  window: isMap,
};
const isRelease = isMapOf({
  bundle: isFile,
  face: isMaybe(isMapOf(FACE)),
  overlay: isMaybe(isFile),
  platform_version: isMapOf({ min_code: isCount, max_code: isMaybe(isCount) }),
  version: isVersion,
});
const isProgram = isMapOf({
  ...FACE,
  app_id: isText,
  preload: (it) => typeof it === "boolean",
  releases: isList(isRelease),
  valid_from: isMaybe(isInstant),
  valid_until: isMaybe(isInstant),
  version: isVersion,
});
const isCohort = isMapOf({ mini_programs: isList(isProgram), percent: isCount, without: isMaybe(isList(isText)) });
const MANIFEST = {
  addr: isText,
  branding: isMap,
  cohorts: isMaybe(isList(isCohort)),
  entitlements: isMap,
  environment: isText,
  expires: isInstant,
  issued: isInstant,
  limits: isMap,
  mini_programs: isList(isProgram),
  offline: isMapOf({ expiration_strategy: (it) => ["restrict", "revoke", "maintain"].includes(it), grace: isText }),
  publication: isCount,
  revoked: isList(isMapOf({ app_id: isText, code: isCount, mode: (it) => ["block", "drain"].includes(it) })),
  spec_version: isText,
  tenant_id: isText,
};

function isHash(it) {
  return isText(it) && /^[0-9a-f]{64}$/.test(it);
}

function checkShape(manifest) {
  if (!isMap(manifest)) throw new Error("it is no map");
  const wrong = Object.entries(MANIFEST).find(([name, fits]) => !fits(manifest[name]));
  if (wrong) throw new Error(`its \`${wrong[0]}\` is not what it must be`);
}

/** Holds a manifest to the targets: for whom, from when, and that every archive in it is one of them. */
export function checkManifest(manifest, targets, { addr, environment }) {
  const wrong = [
    [manifest.spec_version.split(".")[0] !== MAJOR, `its \`spec_version\` is \`${manifest.spec_version}\``],
    [manifest.addr !== addr, `it was made for \`${manifest.addr}\``],
    [manifest.environment !== environment, `its environment is \`${manifest.environment}\``],
    [manifest.publication !== targets.version, `its publication is ${manifest.publication}, its targets' version ${targets.version}`],
    [instant(manifest.expires) !== targets.expires, "it does not expire together with its targets"],
  ].find(([is]) => is);
  if (wrong) throw refused(wrong[1]);
  const programs = [manifest, ...(manifest.cohorts ?? [])].flatMap((it) => it.mini_programs);
  const files = programs.flatMap((program) => program.releases.flatMap(filesOf));
  for (const file of files) {
    const target = targets.targets.get(file.target);
    const isNamed = target && file.target === file.blake3 && target.length === file.length && target.hashes.get("sha256") === file.sha256;
    if (!isNamed) throw refused(`\`${file.target}\` is not among the targets as it names it`);
    if (file.length > MAX.archive) throw refused(`\`${file.target}\` has ${file.length} bytes, more than this shell takes`);
  }
}

/** The bundle, then the overlay. */
export const filesOf = (release) => (release ? [release.bundle, ...(release.overlay ? [release.overlay] : [])] : []);

/** The last place of all: among no share of the devices. */
export const LAST = 9999;

/** Where a device, or a user, stands among those of a tenant: 0 to 9,999. docs/rollout.md says how it is found. */
export async function bucketOf(addr, unit) {
  const digest = await sha256(utf8(`tenantry.dev bucket v1\n${addr}\n${unit}`));
  return Math.floor((Number.parseInt(digest.slice(0, 8), 16) * 10_000) / 2 ** 32);
}

/** The mini-programs of a device: those of the first cohort that it is among, and of the others what that one leaves. */
export function lineUp(manifest, bucket) {
  const cohort = (manifest.cohorts ?? []).find(({ percent }) => bucket < percent * 100);
  if (!cohort) return manifest.mini_programs;
  const others = new Set([...(cohort.without ?? []), ...cohort.mini_programs.map((it) => it.app_id)]);
  return [...manifest.mini_programs.filter((it) => !others.has(it.app_id)), ...cohort.mini_programs];
}

/** What a manifest says to a device with a shell of a platform code, and the name of that: its digest. */
export async function setOf(manifest, platform, bucket) {
  const { addr, branding, entitlements, environment, limits, offline, revoked, tenant_id } = manifest;
  const programs = lineUp(manifest, bucket).map((program) => chosen(program, platform));
  programs.sort((one, other) => (one.app_id < other.app_id ? -1 : 1));
  const set = { addr, branding, entitlements, environment, limits, offline, platform, programs, revoked, tenant_id };
  const bytes = utf8(JSON.stringify(set));
  return { set, bytes, id: await sha256(bytes) };
}

/** Whether a release is for shells of this platform code. */
export const fits = ({ min_code, max_code }, platform) => min_code <= platform && (max_code ?? platform) >= platform;

function chosen(program, platform) {
  const release = program.releases.find((it) => fits(it.platform_version, platform));
  const face = Object.fromEntries(Object.keys(FACE).map((name) => [name, (release?.face ?? program)[name]]));
  const { app_id, description = null, short_name = null, preload } = program;
  const { bundle, overlay = null, platform_version, version } = release ?? {};
  return {
    app_id,
    description,
    name: face.name,
    preload,
    release: release ? { ...face, bundle, overlay, platform_version, version } : null,
    short_name,
    valid_from: program.valid_from ?? null,
    valid_until: program.valid_until ?? null,
  };
}

/** How long a device may go on without refreshing, in seconds. A duration that cannot be read is none. */
export const graceOf = (set) => duration(set.offline.grace) ?? 0;

/** What is different in a newer set: programs gained, lost and changed. */
export function difference(before, after) {
  const installed = (set) => new Map((set?.programs ?? []).filter((it) => it.release).map((it) => [it.app_id, it]));
  const [old, now] = [installed(before), installed(after)];
  const isSame = (one, other) => JSON.stringify(one.release) === JSON.stringify(other.release);
  return {
    gained: [...now.values()].filter((it) => !old.has(it.app_id)),
    lost: [...old.values()].filter((it) => !now.has(it.app_id)),
    changed: [...now.values()].filter((it) => old.has(it.app_id) && !isSame(old.get(it.app_id), it)),
  };
}
