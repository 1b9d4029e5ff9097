//! Small projects, and random edits of them. The same seed gives the same project and the same edits everywhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tenantry::diag::Severity;
use tenantry::load::{Content, SourceTree, TreeFile};
use tenantry::path::RepoPath;

use crate::random::Random;

pub(crate) const APPS: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
pub(crate) const PERMISSIONS: [&str; 4] = ["camera", "contacts", "location", "microphone"];
pub(crate) const HOSTS: [&str; 4] = ["a.example.com", "b.example.com", "c.example.com", "d.example.com"];
pub(crate) const CLASSES: [&str; 4] = ["public", "internal", "confidential", "restricted"];
const PLANS: [&str; 3] = ["basic", "large", "small"];
const ADD_ONS: [&str; 3] = ["extra", "more", "other"];
const PROFILES: [&str; 3] = ["lax", "medium", "strict"];
const SHELLS: [&str; 3] = ["desk", "phone", "tablet"];
const KEYS: [&str; 3] = ["alpha", "beta", "gamma"];

/// A document as an author would write it.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    /// Its label `ring`, by which rollouts select.
    pub(crate) ring: Option<&'static str>,
    pub(crate) spec: Map<String, Value>,
    /// Means nothing.
    comment: String,
}

/// A project: documents and other files by their paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) documents: BTreeMap<String, Document>,
    pub(crate) files: BTreeMap<String, String>,
}

pub(crate) fn app_id(app: &str) -> String {
    format!("com.example.{app}")
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not a map: {other}"),
    }
}

impl World {
    pub(crate) fn new(random: &mut Random) -> World {
        let mut world = World::default();
        world.put("tenantry.yaml", "Project", "oracle", json!({ "defaults": { "offline_grace": "P14D" } }));
        for (name, codes) in [("desk", json!([14])), ("phone", json!([8, 10, 12]))] {
            world.put(&format!("catalog/shells/{name}.yaml"), "Shell", name, json!({ "platform_codes": codes }));
        }
        for (at, app) in APPS.iter().take(6).enumerate() {
            for code in 1..=1 + u32::try_from(random.below(3)).expect("small") {
                world.version(app, at, code, random);
            }
        }
        for name in PROFILES {
            world.put(&format!("catalog/compliance/{name}.yaml"), "ComplianceProfile", name, json!({}));
        }
        for (at, name) in PLANS.iter().enumerate() {
            let grants: Vec<Value> = APPS.iter().take(2 + at * 2).map(|it| json!({ "app_id": app_id(it) })).collect();
            let spec = json!({ "lookup_key": name, "mini_programs": grants, "entitlements": { "alpha": at }, "limits": { "most": at + 1 } });
            world.put(&format!("catalog/plans/{name}.yaml"), "Plan", name, spec);
        }
        for (at, name) in ADD_ONS.iter().enumerate() {
            let spec = json!({ "lookup_key": name, "mini_programs": [{ "app_id": app_id(APPS[5 - at]) }] });
            world.put(&format!("catalog/add-ons/{name}.yaml"), "AddOn", name, spec);
        }
        for number in 0..12 {
            world.add_tenant(number, random);
        }
        assert_eq!(world.errors(), [""; 0], "the edits start from a sound project");
        // A project that has seen some life already.
        (0..40).for_each(|_| drop(world.edit_soundly(random)));
        world
    }

    fn put(&mut self, path: &str, kind: &'static str, name: &str, spec: Value) {
        let document =
            Document { kind, name: name.to_owned(), title: None, ring: None, spec: map(spec), comment: String::new() };
        self.documents.insert(path.to_owned(), document);
    }

    fn version(&mut self, app: &str, at: usize, code: u32, random: &mut Random) {
        let folder = format!("catalog/programs/{app}/{code}");
        let name = match random.percent(15) {
            true => format!("{code}.0.0-beta.1"),
            false => format!("{code}.0.0"),
        };
        let mut spec = json!({
            "app_id": app_id(app),
            "name": format!("Program {app}"),
            "version": { "code": code, "name": name },
            "platform_version": { "min_code": random.pick(&[1, 8, 9, 12]), "target_code": 14 },
            "pages": ["index.html"],
            "review": { "status": random.pick(&["online", "online", "approved", "audit"]), "since": "2026-01-01" },
            "package": { "path": "app" },
            "ext_schema": { "type": "object", "additionalProperties": false, "properties": { "alpha": {}, "beta": {}, "list": {}, "a/b": {}, "greeting": {} } },
            "ext": { "alpha": 1, "beta": { "gamma": "x" } },
        });
        if at % 3 == 1 {
            spec["templates"] = json!([{ "src": "config.j2", "path": "config.txt" }]);
            self.files.insert(
                format!("{folder}/config.j2"),
                "{{ tenant.title | default('nobody') }} {{ ext | tojson }}\n".to_owned(),
            );
        }
        if random.percent(30) && at + 1 < 6 {
            spec["dependencies"] = json!([{ "app_id": app_id(APPS[at + 1]) }]);
        }
        self.put(&format!("{folder}/program.yaml"), "MiniProgram", &format!("{app}-{code}"), spec);
        self.files.insert(format!("{folder}/app/index.html"), format!("<h1>{app} {code}</h1>\n"));
        self.files.insert(format!("{folder}/app/app.js"), "run()\n".to_owned());
    }

    fn add_tenant(&mut self, number: usize, random: &mut Random) {
        let name = format!("tenant-{number:02}");
        let mut spec = json!({ "tenant_id": format!("t_{number:04}"), "plan": random.pick(&PLANS) });
        if random.percent(40) {
            spec["license"] = json!({ "valid_from": "2026-01-01", "valid_until": "2027-01-01", "expiration_strategy": random.pick(&["restrict", "revoke", "maintain"]) });
        }
        if random.percent(40) {
            spec["add_ons"] = json!([random.pick(&ADD_ONS)]);
        }
        if random.percent(40) {
            spec["compliance_profile"] = json!(random.pick(&PROFILES));
        }
        if random.percent(30) {
            spec["shells"] = json!([random.pick(&["desk", "phone"])]);
        }
        self.put(&format!("tenants/{name}.yaml"), "Tenant", &name, spec);
    }

    /// All files with their bytes.
    pub(crate) fn tree(&self) -> SourceTree {
        let mut all = self.files.clone();
        for (path, document) in &self.documents {
            let Document { kind, name, title, ring, spec, comment } = document;
            let mut metadata = json!({ "name": name });
            if let Some(title) = title {
                metadata["title"] = json!(title);
            }
            if let Some(ring) = ring {
                metadata["labels"] = json!({ "ring": ring });
            }
            let (metadata, spec) = (metadata.to_string(), Value::Object(spec.clone()).to_string());
            let text =
                format!("{comment}apiVersion: tenantry.dev/v1\nkind: {kind}\nmetadata: {metadata}\nspec: {spec}\n");
            all.insert(path.clone(), text);
        }
        let file = |(path, text): (String, String)| TreeFile {
            path: RepoPath::parse(&path).expect("a path"),
            content: Content::Bytes(text.into_bytes().into()),
        };
        let mut files: Vec<TreeFile> = all.into_iter().map(file).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        SourceTree { commit: None, files }
    }

    /// The programs that there are.
    fn apps(&self) -> Vec<String> {
        let programs =
            self.of_kind("MiniProgram").into_iter().map(|(_, it)| it.spec["app_id"].as_str().expect("text").to_owned());
        programs.collect::<std::collections::BTreeSet<String>>().into_iter().collect()
    }

    /// The documents of a kind, with their paths.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<(&String, &Document)> {
        self.documents.iter().filter(|(_, it)| it.kind == kind).collect()
    }

    /// Makes one random edit that leaves a sound project, and says which; none when it would break the project, which
    /// then stays as it is.
    pub(crate) fn edit_soundly(&mut self, random: &mut Random) -> Option<String> {
        let mut edited = self.clone();
        let what = edited.edit(random);
        let is_sound = edited.errors().is_empty();
        if is_sound {
            *self = edited;
        }
        is_sound.then_some(what)
    }

    /// What stops a compile.
    pub(crate) fn errors(&self) -> Vec<String> {
        let now = tenantry::time::Timestamp::parse(crate::NOW).expect("a time");
        let (checked, _) = tenantry::pipeline::check(&self.tree(), now);
        let errors = checked.diagnostics.iter().filter(|it| it.severity() == Severity::Error);
        errors.map(|it| format!("{}: {}", it.code.slug(), it.message)).collect()
    }

    /// Makes one random edit, and says which. It may break the project; whoever asks must look.
    pub(crate) fn edit(&mut self, random: &mut Random) -> String {
        let kind = *random.pick(&[
            "Tenant",
            "Tenant",
            "Tenant",
            "Tenant",
            "MiniProgram",
            "MiniProgram",
            "MiniProgram",
            "Plan",
            "AddOn",
            "ComplianceProfile",
            "Shell",
            "Project",
            "files",
            "versions",
            "tenants",
        ]);
        let apps = self.apps();
        match kind {
            "files" => self.edit_file(random),
            "versions" => self.edit_versions(random),
            "tenants" => self.edit_tenants(random),
            kind => {
                let paths: Vec<String> = self.of_kind(kind).into_iter().map(|(path, _)| path.clone()).collect();
                let path = random.pick(&paths).clone();
                let document = self.documents.get_mut(&path).expect("just listed");
                let what = match kind {
                    _ if random.percent(5) => {
                        document.comment = format!("# edited {}\n", random.below(1000));
                        "comment".to_owned()
                    }
                    "Tenant" => tenant(document, &apps, random),
                    "MiniProgram" => program(document, &apps, random),
                    "Plan" | "AddOn" => listing(document, &apps, random),
                    "ComplianceProfile" => profile(document, random),
                    "Shell" => shell(document, random),
                    _ => project(document, random),
                };
                format!("{path}: {what}")
            }
        }
    }

    fn edit_file(&mut self, random: &mut Random) -> String {
        let paths: Vec<String> = self.files.keys().cloned().collect();
        let path = random.pick(&paths).clone();
        let text = match path.ends_with(".j2") {
            true => *random.pick(&[
                "{{ ext | tojson }}\n",
                "{{ tenant.title | default('nobody') }}\n",
                "{{ tenant.name }} {{ ext.alpha | default(0) }}\n",
            ]),
            false => *random.pick(&["<h1>one</h1>\n", "<h1>two</h1>\n", "<h1>three</h1>\n"]),
        };
        self.files.insert(path.clone(), text.to_owned());
        format!("{path}: other bytes")
    }

    /// A version, or a program, comes or goes.
    fn edit_versions(&mut self, random: &mut Random) -> String {
        let at = random.below(APPS.len());
        let app = APPS[at];
        let prefix = format!("catalog/programs/{app}/");
        let codes =
            self.documents.keys().filter_map(|it| it.strip_prefix(&prefix)?.split('/').next()?.parse::<u32>().ok());
        let codes: Vec<u32> = codes.collect();
        match (codes.iter().max(), random.below(3)) {
            (None, _) => {
                self.version(app, at, 1, random);
                format!("program {app} is new")
            }
            (Some(newest), 0) if *newest < 6 => {
                self.version(app, at, newest + 1, random);
                format!("version {} of {app} is new", newest + 1)
            }
            (Some(_), _) => {
                let code = *random.pick(&codes);
                let folder = format!("{prefix}{code}/");
                self.documents.retain(|path, _| !path.starts_with(&folder));
                self.files.retain(|path, _| !path.starts_with(&folder));
                if codes.len() == 1 {
                    self.forget(app);
                }
                format!("version {code} of {app} is gone")
            }
        }
    }

    /// Takes a program out of everything that names it.
    fn forget(&mut self, app: &str) {
        let id = app_id(app);
        for document in self.documents.values_mut() {
            for list in ["mini_programs", "dependencies", "overrides", "pins", "conflicts"] {
                if let Some(Value::Array(items)) = document.spec.get_mut(list) {
                    items.retain(|it| !it.to_string().contains(&id));
                }
            }
            if let Some(Value::Object(ext)) = document.spec.get_mut("ext") {
                ext.remove(&id);
            }
        }
    }

    /// A tenant comes or goes, or its file does.
    fn edit_tenants(&mut self, random: &mut Random) -> String {
        let paths: Vec<String> = self.of_kind("Tenant").into_iter().map(|(path, _)| path.clone()).collect();
        let path = random.pick(&paths).clone();
        match random.below(5) {
            0 if paths.len() > 6 => {
                self.documents.remove(&path);
                format!("{path} is gone")
            }
            1 => {
                let document = self.documents.remove(&path).expect("just listed");
                let other = format!("tenants/moved/{}.yaml", random.below(1000));
                self.documents.insert(other.clone(), document);
                format!("{path} is now {other}")
            }
            2 => {
                let document = self.documents.get_mut(&path).expect("just listed");
                document.name = format!("renamed-{}", random.below(100_000));
                format!("{path} has another name")
            }
            3 => {
                let document = self.documents.get_mut(&path).expect("just listed");
                document.spec.insert("tenant_id".into(), json!(format!("t_{}", 10_000 + random.below(90_000))));
                format!("{path} has another tenant_id")
            }
            _ => {
                let number = 100 + random.below(900);
                self.add_tenant(number, random);
                format!("tenant {number} is new")
            }
        }
    }
}

/// Sets a value, or takes it away.
fn set(spec: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(spec.insert(key.to_owned(), value)),
        None => drop(spec.remove(key)),
    }
}

/// Some of these, in their order.
fn some(random: &mut Random, from: &[&str], percent: usize) -> Vec<String> {
    from.iter().filter(|_| random.percent(percent)).map(|it| (*it).to_owned()).collect()
}

fn maybe(random: &mut Random, value: Value) -> Option<Value> {
    random.percent(70).then_some(value)
}

fn settings(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({ "alpha": random.below(3) }),
        1 => json!({ "beta": { "gamma": random.pick(&["x", "y"]), "delta": random.below(2) } }),
        2 => json!({ "list": [random.below(3)] }),
        _ => json!({ "beta": random.below(2), "a/b": true }),
    }
}

fn tenant(document: &mut Document, apps: &[String], random: &mut Random) -> String {
    let what = *random.pick(&[
        "plan",
        "add_ons",
        "compliance_profile",
        "data_region",
        "status",
        "license",
        "license",
        "overrides",
        "overrides",
        "branding",
        "ext",
        "channel",
        "pins",
        "shells",
        "ring",
        "title",
        "domains",
    ]);
    let value = match what {
        "plan" => Some(json!(random.pick(&PLANS))),
        "add_ons" => Some(json!(some(random, &ADD_ONS, 40))),
        "compliance_profile" => {
            let it = json!(random.pick(&PROFILES));
            maybe(random, it)
        }
        "data_region" => {
            let it = json!(random.pick(&["eu", "us"]));
            maybe(random, it)
        }
        "status" => Some(json!(random.pick(&["active", "active", "suspended", "inactive"]))),
        "license" => {
            let it = json!({
                "valid_from": random.pick(&["2026-01-01", "2026-11-01", "2026-12-01"]),
                "valid_until": random.pick(&["2026-11-20", "2026-11-25", "2026-12-24", "2028-01-01"]),
                "expiration_strategy": random.pick(&["restrict", "revoke", "maintain"]),
                "grace": random.pick(&["P0D", "P2D", "P30D"]),
                "seats": 1 + random.below(3),
            });
            maybe(random, it)
        }
        "overrides" => {
            let one = |random: &mut Random| {
                let word = *random.pick(&["grant", "revoke"]);
                let expires = random.pick(&["2026-11-01", "2026-11-25", "2027-03-01"]);
                let mut it = json!({ word: random.pick(apps), "reason": "agreed", "expires": expires });
                if word == "grant" && random.percent(30) {
                    it["range"] = json!(random.pick(&[">=1", ">=2", "<2"]));
                }
                it
            };
            let count = random.below(3);
            let mut all: Vec<Value> = (0..count).map(|_| one(random)).collect();
            if random.percent(25) {
                // Given for a while, and taken away for longer: it must stop at once.
                let app = random.pick(apps);
                all.push(json!({ "grant": app, "reason": "agreed", "expires": "2026-12-25" }));
                all.push(json!({ "revoke": app, "reason": "agreed", "expires": "2027-01-25" }));
            }
            Some(Value::Array(all))
        }
        "branding" => {
            let it = json!({ "name": format!("Brand {}", random.below(3)), "window": { "color": random.below(3), "deep": { "er": random.below(2) } } });
            maybe(random, it)
        }
        "ext" => {
            let count = random.below(3);
            Some(Value::Object((0..count).map(|_| (random.pick(apps).clone(), settings(random))).collect()))
        }
        "channel" => {
            let it = json!(random.pick(&["beta", "stable"]));
            maybe(random, it)
        }
        "pins" => Some(match random.percent(50) {
            true => json!([{ "app_id": random.pick(apps), "code": 1 + random.below(3) }]),
            false => json!([]),
        }),
        "shells" => Some(json!(some(random, &SHELLS[..2], 60))),
        "domains" => Some(json!([format!("d{}.example", random.below(100_000))])),
        "ring" => {
            document.ring = random.pick(&[None, Some("early"), Some("late")]).to_owned();
            return "ring".to_owned();
        }
        _ => {
            document.title = Some(format!("Title {}", random.below(3)));
            return "title".to_owned();
        }
    };
    set(&mut document.spec, what, value);
    what.to_owned()
}

fn program(document: &mut Document, apps: &[String], random: &mut Random) -> String {
    let what = *random.pick(&[
        "review",
        "review",
        "platform_version",
        "req_permissions",
        "egress",
        "data",
        "dependencies",
        "conflicts",
        "update_policy",
        "rollout",
        "rollout",
        "rollout",
        "revoked",
        "name",
        "short_name",
        "description",
        "icons",
        "window",
        "ext",
        "pages",
    ]);
    let value = match what {
        "review" => Some(json!({
            "status": random.pick(&["online", "online", "approved", "audit", "deprecated"]),
            "since": random.pick(&["2026-01-01", "2026-11-15", "2026-11-22"]),
        })),
        "platform_version" => {
            let mut it = json!({ "min_code": random.pick(&[1, 8, 9, 11, 12]), "target_code": random.pick(&[12, 14]) });
            if random.percent(30) {
                it["max_code"] = json!(random.pick(&[12, 13, 14, 20]));
            }
            Some(it)
        }
        "req_permissions" => {
            let names = some(random, &PERMISSIONS, 40);
            let reason = *random.pick(&["needed", "wanted"]);
            Some(names.into_iter().map(|it| json!({ "name": it, "reason": reason })).collect())
        }
        "egress" => {
            let mut hosts = some(random, &HOSTS, 40);
            if random.percent(20) {
                hosts.reverse();
            }
            Some(json!(hosts))
        }
        "data" => {
            let it = json!({ "classification": random.pick(&CLASSES), "regions": some(random, &["eu", "us"], 50) });
            maybe(random, it)
        }
        "dependencies" => Some(match random.percent(50) {
            true => json!([{ "app_id": random.pick(apps), "range": random.pick(&[">=1", ">=2", "<3"]) }]),
            false => json!([]),
        }),
        "conflicts" => Some(match random.percent(30) {
            true => json!([random.pick(apps)]),
            false => json!([]),
        }),
        "update_policy" => Some(match random.percent(50) {
            true => json!({ "mode": random.pick(&["background", "sync", "force"]) }),
            false => json!({ "mode": "background", "min_usable_version": 1 }),
        }),
        "rollout" => {
            let it = json!({ "steps": steps(random) });
            maybe(random, it)
        }
        "revoked" => {
            let it = json!({ "mode": random.pick(&["block", "drain"]), "reason": "it is broken" });
            maybe(random, it).filter(|_| random.percent(50))
        }
        "name" => Some(json!(format!("Program {}", random.below(3)))),
        "short_name" => {
            let it = json!(format!("P{}", random.below(3)));
            maybe(random, it)
        }
        "description" => {
            let it = json!(format!("Does {}", random.below(3)));
            maybe(random, it)
        }
        "icons" => Some(match random.percent(50) {
            true => json!([{ "src": "index.html", "sizes": "any" }]),
            false => json!([]),
        }),
        "window" => Some(json!({ "title": random.below(3) })),
        "pages" => Some(match random.percent(50) {
            true => json!(["index.html"]),
            false => json!(["index.html", "app.js"]),
        }),
        _ => {
            let mut it = settings(random);
            if random.percent(30) {
                it["greeting"] = json!("Hello {{ tenant.title | default('nobody') }}");
            }
            Some(it)
        }
    };
    set(&mut document.spec, what, value);
    what.to_owned()
}

/// Steps of a rollout around now, each with a larger share than those before it.
fn steps(random: &mut Random) -> Vec<Value> {
    let mut steps = Vec::new();
    let shares = some(random, &["10", "20", "50", "100"], 45);
    for (at, share) in shares.iter().enumerate() {
        let from = ["2026-11-10", "2026-11-15", "2026-11-23", "2026-11-25"][at];
        let mut step = json!({ "from": from, "percent": share.parse::<u32>().expect("a number") });
        if random.percent(40) {
            step["match_labels"] = json!({ "ring": random.pick(&["early", "late"]) });
        }
        steps.push(step);
    }
    if steps.is_empty() {
        steps.push(json!({ "from": "2026-11-20", "match_labels": { "ring": "early" } }));
    }
    steps
}

fn listing(document: &mut Document, apps: &[String], random: &mut Random) -> String {
    let what = *random.pick(&["mini_programs", "mini_programs", "entitlements", "limits", "ext", "extends"]);
    let value = match what {
        "mini_programs" => {
            let mut grants = Vec::new();
            let known: Vec<&str> = apps.iter().map(|it| &**it).collect();
            for app in some(random, &known, 40) {
                let mut grant = json!({ "app_id": app });
                if random.percent(25) {
                    grant["range"] = json!(random.pick(&[">=1", ">=2", "<2", "<3"]));
                }
                if random.percent(25) {
                    grant["optional"] = json!(true);
                }
                grants.push(grant);
            }
            Some(Value::Array(grants))
        }
        "entitlements" => {
            let value = |random: &mut Random| {
                random.pick(&[json!(true), json!(false), json!(1), json!(7), json!("unlimited")]).clone()
            };
            Some(Value::Object(some(random, &KEYS, 60).into_iter().map(|key| (key, value(random))).collect()))
        }
        "limits" => {
            Some(Value::Object(some(random, &KEYS, 60).into_iter().map(|key| (key, json!(random.below(4)))).collect()))
        }
        "ext" => Some(json!({ random.pick(apps).as_str(): settings(random) })),
        _ if document.kind == "Plan" && document.name == "large" => {
            let it = json!(random.pick(&["basic", "small"]));
            maybe(random, it)
        }
        _ => None,
    };
    set(&mut document.spec, what, value);
    what.to_owned()
}

fn profile(document: &mut Document, random: &mut Random) -> String {
    let what =
        *random.pick(&["imports", "mini_programs", "permissions", "egress", "data", "review", "update", "manifest"]);
    let lists = |random: &mut Random, from: &[&str]| {
        let mut it = json!({ "deny": some(random, from, 25) });
        if random.percent(25) {
            it["allow"] = json!(some(random, from, 80));
        }
        it
    };
    let apps: Vec<String> = APPS.iter().map(|it| app_id(it)).collect();
    let apps: Vec<&str> = apps.iter().map(|it| &**it).collect();
    let value = match what {
        "imports" if document.name == "strict" => Some(json!(some(random, &["lax", "medium"], 50))),
        "imports" if document.name == "medium" => Some(json!(some(random, &["lax"], 50))),
        "imports" => None,
        "mini_programs" => Some(lists(random, &apps)),
        "permissions" => Some(lists(random, &PERMISSIONS)),
        "egress" => Some(lists(random, &HOSTS)),
        "data" => {
            let mut it = json!({});
            if random.percent(40) {
                it["max_classification"] = json!(random.pick(&CLASSES));
            }
            if random.percent(30) {
                it["regions"] = json!(["eu"]);
            }
            Some(it)
        }
        "review" => {
            let mut it = json!({});
            if random.percent(40) {
                it["min_status"] = json!(random.pick(&["approved", "online"]));
            }
            if random.percent(40) {
                it["min_soak"] = json!(random.pick(&["P1D", "P7D", "P10D"]));
            }
            Some(it)
        }
        "update" => {
            let windows = some(random, &["2026-11-10", "2026-11-20"], 30);
            let windows: Vec<Value> =
                windows.into_iter().map(|it| json!({ "from": it, "until": "2026-12-01" })).collect();
            Some(json!({ "freeze_windows": windows, "pin_required": random.percent(10) }))
        }
        _ => {
            let mut it = json!({});
            if random.percent(50) {
                it["max_ttl"] = json!(random.pick(&["P3D", "P10D"]));
            }
            if random.percent(50) {
                it["offline_grace"] = json!(random.pick(&["P1D", "P5D", "P20D"]));
            }
            Some(it)
        }
    };
    set(&mut document.spec, what, value);
    what.to_owned()
}

fn shell(document: &mut Document, random: &mut Random) -> String {
    let codes =
        random.pick(&[json!([8, 10, 12]), json!([10, 14]), json!([12]), json!([14]), json!([8, 14, 16])]).clone();
    set(&mut document.spec, "platform_codes", Some(codes));
    "platform_codes".to_owned()
}

fn project(document: &mut Document, random: &mut Random) -> String {
    let what = *random.pick(&["defaults", "lifetimes", "revocation_budget"]);
    let value = match what {
        "defaults" => {
            json!({ "offline_grace": random.pick(&["P14D", "P4D"]), "channel": random.pick(&["stable", "beta"]) })
        }
        "lifetimes" => {
            json!({ "entitlement": random.pick(&["P30D", "P9D"]), "freshness": random.pick(&["P7D", "P2D"]) })
        }
        _ => json!({ "percent": random.below(4), "at_least": random.below(3) }),
    };
    set(&mut document.spec, what, Some(value));
    what.to_owned()
}
