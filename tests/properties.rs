//! Facts that hold for every project, tried on small random ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use project::{ADDRESS_SECRET, ENTITLEMENT_SEED, FRESHNESS_SEED, Files, NOW, document, fixed_root, public, read, time};
use project::{ROOT_SEEDS, catalog, changed, program, tenant};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;
use tempfile::TempDir;
use tenantry::index::Index;
use tenantry::load::{Content, SourceTree, TreeFile};
use tenantry::metadata::keys::{FileKey, Signer};
use tenantry::path::RepoPath;
use tenantry::pipeline::compile::{CompileError, Job, Summary, compile};
use tenantry::pipeline::verify;
use tenantry::sign::keystore::RootFile;
use tenantry::sign::{AddressSecret, Signers, sign};
use tenantry::time::Timestamp;
use tenantry::write::OutDir;

#[path = "support/project.rs"]
mod project;

/// What can be said of one tenant; numbers choose, and zeros make the plainest tenant.
type Choice = [u8; 9];

fn choice() -> impl Strategy<Value = Choice> {
    prop::array::uniform9(any::<u8>())
}

/// A tenant's file. Every instant in it lies on a day shortly after [`NOW`], so that much happens while time goes by.
fn customer(name: &str, choice: &Choice) -> (String, String) {
    let [plan, profile, licence, override_, channel, pin, settings, status, title] = choice.map(usize::from);
    let mut more = String::new();
    let mut say = |line: &str| writeln!(more, "  {line}").expect("memory");
    match profile % 4 {
        1 => say("compliance_profile: soaked"),
        2 => say("compliance_profile: frozen"),
        _ => (),
    }
    match override_ % 4 {
        0 | 1 => (),
        other => {
            let word = if other == 2 { "grant" } else { "revoke" };
            let (program, day) = (["notes", "chat", "calc"][override_ / 4 % 3], 24 + override_ / 16 % 6);
            say(&format!(
                "overrides:\n    - {{ {word}: com.example.{program}, reason: agreed, approved_by: sales, expires: \"2026-11-{day}\" }}"
            ));
        }
    }
    if channel % 3 == 1 {
        say("channel: beta");
    }
    if pin % 4 == 1 {
        say("pins:\n    - { app_id: com.example.calc, code: 1 }");
    }
    if settings % 3 == 1 {
        say(&format!("ext:\n    com.example.notes: {{ colour: \"blue {settings}\" }}"));
    }
    if status % 8 == 1 {
        say("status: suspended");
    }
    say(&format!("branding: {{ name: Brand {title} }}"));
    let (path, text) = tenant(name, ["starter", "business"][plan % 2], &more);
    let strategy = ["restrict", "revoke", "maintain"][licence / 8 % 3];
    let until = match licence % 3 {
        0 => "\"2030-01-01\"".to_owned(),
        _ => format!("\"2026-11-{}\", grace: P1D, expiration_strategy: {strategy}", 24 + licence % 6),
    };
    (path, text.replace("\"2030-01-01\"", &until))
}

/// A project of these tenants; `days` says when versions of the catalogue came out.
fn project(days: [u8; 2], tenants: &[(&str, Choice)]) -> Vec<(String, String)> {
    let mut files = catalog();
    files.extend(program("calc", ""));
    let (path, text) = &program("calc", "")[0];
    let newer = text.replace(
        "code: 1, name: 1.0.0",
        ["code: 2, name: 1.1.0", "code: 2, name: 2.0.0-beta.1"][usize::from(days[0] % 2)],
    );
    files.push((
        path.replace("calc/", "calc/2/"),
        newer
            .replace("2026-01-01", &format!("2026-11-{:02}", 10 + days[1] % 18))
            .replace("name: calc }", "name: calc-2 }"),
    ));
    files.push(("catalog/programs/calc/2/app/index.html".into(), "<h1>newer</h1>\n".into()));
    for (path, text) in &mut files {
        if path == "catalog/plans/starter.yaml" {
            *text = text.replace("mini_programs:\n", "mini_programs:\n    - app_id: com.example.calc\n");
        }
    }
    files.push((
        "catalog/compliance/soaked.yaml".into(),
        document("ComplianceProfile", "soaked", "  review: { min_soak: P7D }\n  manifest: { max_ttl: P3D }\n"),
    ));
    files.push((
        "catalog/compliance/frozen.yaml".into(),
        document(
            "ComplianceProfile",
            "frozen",
            "  update:\n    freeze_windows:\n      - { from: \"2026-11-20\", until: \"2026-11-27\" }\n",
        ),
    ));
    files.extend(tenants.iter().map(|(name, choice)| customer(name, choice)));
    files
}

fn tree(files: Vec<(String, String)>) -> SourceTree {
    let files = files.into_iter().map(|(path, text)| TreeFile {
        path: RepoPath::parse(&path).expect("a good path"),
        content: Content::Bytes(text.into_bytes().into()),
    });
    let mut files: Vec<TreeFile> = files.collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    SourceTree { commit: None, files }
}

/// A folder that publications go to, one after the other.
struct Out {
    folder: TempDir,
    root: RootFile,
}

impl Out {
    fn new() -> Out {
        let keys = ROOT_SEEDS.map(FileKey::from_seed);
        let signers: Vec<&dyn Signer> = keys.iter().map(|it| it as &dyn Signer).collect();
        let signed = sign(fixed_root("production"), &signers).expect("keys in memory sign");
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
        Out { folder, root: RootFile { root: signed.role, bytes: signed.bytes } }
    }

    fn compile(&self, tree: &SourceTree, now: Timestamp) -> Summary {
        let out = OutDir::open(self.folder.path()).expect("opens");
        let roots = std::slice::from_ref(&self.root);
        let job = Job { tree, now, roots, out: &out, onto: None, threads: 1, progress: &|_, _, _| () };
        let signers = Signers {
            entitlement: vec![Box::new(FileKey::from_seed(ENTITLEMENT_SEED))],
            freshness: vec![Box::new(FileKey::from_seed(FRESHNESS_SEED))],
            environment: "production".into(),
            addresses: AddressSecret::new(ADDRESS_SECRET),
        };
        match compile::<CompileError>(&job, |_| Ok(signers)) {
            Ok((summary, _)) => summary,
            Err(CompileError::Inputs(found)) => panic!("the project has errors: {found:#?}"),
            Err(error) => panic!("{error}"),
        }
    }

    fn index(&self) -> Index {
        Index::parse(&read(self.folder.path())["state/index.json"]).expect("an index can be read back")
    }

    /// Every file that a tenant's device may fetch, but for roots.
    fn files_of(&self, name: &str) -> Files {
        let (index, mut files) = (self.index(), public(read(self.folder.path())));
        let (addr, record) = index.tenants.iter().find(|(_, it)| it.name == name).expect("a known tenant");
        let bundles =
            record.bundles.iter().map(|tree| tenantry::index::keys::archive(*tree, index.bundles[tree].sha256));
        record
            .files(addr)
            .map(|(key, _)| key)
            .chain(bundles)
            .map(|key| (key.clone(), files.remove(&key).expect("a file of the tenant")))
            .collect()
    }

    /// What each tenant has, without what any new signature changes.
    fn line_ups(&self) -> BTreeMap<String, Value> {
        let files = public(read(self.folder.path()));
        let manifests = files.iter().filter(|(key, _)| key.ends_with(".manifest.json"));
        manifests
            .map(|(_, bytes)| {
                let mut manifest: Value = serde_json::from_slice(bytes).expect("JSON");
                let fields = manifest.as_object_mut().expect("a map");
                ["issued", "expires", "publication", "source"].iter().for_each(|it| drop(fields.remove(*it)));
                (manifest["addr"].to_string(), manifest)
            })
            .collect()
    }

    fn findings(&self, now: Timestamp) -> Vec<tenantry::verify::Finding> {
        verify::folder(self.folder.path(), &self.root.bytes, now).expect("the folder can be read").findings
    }
}

/// A publication made from nothing.
fn cold(tree: &SourceTree, now: Timestamp) -> Out {
    let out = Out::new();
    out.compile(tree, now);
    out
}

fn hours(count: u16) -> Timestamp {
    Timestamp::from_unix(time(NOW).unix() + i64::from(count) * 3600).expect("within reach")
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(64) })]

    #[test]
    fn what_is_said_of_one_tenant_changes_no_byte_of_another(days in any::<[u8; 2]>(), a in choice(), b in choice(), edited in choice(), c in choice()) {
        let now = time(NOW);
        let with = cold(&tree(project(days, &[("anna", a), ("berta", b), ("carla", c)])), now);
        prop_assert_eq!(with.findings(now), []);
        let others = [
            cold(&tree(project(days, &[("anna", a), ("berta", edited), ("carla", c)])), now),
            cold(&tree(project(days, &[("anna", a), ("carla", c)])), now),
            cold(&tree(project(days, &[("anna", a), ("berta", b), ("carla", c), ("dora", edited)])), now),
        ];
        for other in others {
            prop_assert_eq!(other.findings(now), []);
            for name in ["anna", "carla"] {
                prop_assert_eq!(changed(&with.files_of(name), &other.files_of(name)), [""; 0]);
            }
        }
        let berta = with.index().tenants.into_iter().find(|(_, it)| it.name == "berta").expect("a known tenant").0;
        for (key, bytes) in with.files_of("anna") {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert!(!text.contains("berta") && !text.contains(&berta), "{} names another tenant", key);
        }
    }

}

// Each of these cases compiles a dozen times.
proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(24) })]

    /// Compiling now and then gives everybody what a compile from nothing would give them at that instant: no
    /// instant at which a line-up changes by itself is missed, and no change of a file.
    #[test]
    fn compiling_again_and_compiling_from_nothing_agree(days in any::<[u8; 2]>(), a in choice(), b in choice(), edited in choice(), mut instants in prop::array::uniform4(0_u16..24 * 8)) {
        instants.sort_unstable();
        let before = tree(project(days, &[("anna", a), ("berta", b)]));
        let after = tree(project(days, &[("anna", a), ("berta", edited), ("carla", b)]));
        let out = Out::new();
        for (tree, hour) in [&before, &before, &after, &after].into_iter().zip(instants) {
            let now = hours(hour);
            out.compile(tree, now);
            prop_assert_eq!(out.findings(now), []);
            let cold = cold(tree, now);
            prop_assert_eq!(out.line_ups(), cold.line_ups());
            for (addr, expected) in cold.index().tenants {
                let record = &out.index().tenants[&addr];
                for (file, fresh) in [(record.targets, expected.targets), (record.timestamp, expected.timestamp)] {
                    let lives_longer = file.issued.until(file.expires) > fresh.issued.until(fresh.expires);
                    prop_assert!(!lives_longer, "a shorter lifetime holds at once");
                    prop_assert!(!file.is_due(now));
                }
            }
            prop_assert!(!out.compile(tree, now).is_new, "it settles");
        }
    }

    /// What the index says about the next change is no guess: a second before it nothing has changed.
    #[test]
    fn a_line_up_stays_until_the_instant_it_was_said_to(days in any::<[u8; 2]>(), a in choice()) {
        let (tree, now) = (tree(project(days, &[("anna", a)])), time(NOW));
        let out = cold(&tree, now);
        let next = out.index().tenants.into_values().next().expect("one tenant").next_change;
        if let Some(next) = next.filter(|it| *it < out.root.root.expires) {
            prop_assert!(next > now);
            let just_before = Timestamp::from_unix(next.unix() - 1).expect("within reach");
            prop_assert_eq!(cold(&tree, just_before).line_ups(), out.line_ups());
        }
    }
}
