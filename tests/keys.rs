//! Keys: made, rotated, shared out among people, and kept where this program cannot see them.
#![expect(clippy::disallowed_methods, reason = "tests run commands, and move key files about")]

use std::fs;
use std::io::Write as _;
use std::process::Command;

use project::{ADDRESS_SECRET, ENTITLEMENT_SEED, FRESHNESS_SEED, NOW, Project, changed, run, small, tenant};
use serde_json::Value;
use tenantry::metadata::keys::{FileKey, Signer};

#[path = "support/project.rs"]
mod project;

/// Keys made by the command itself.
fn fresh(arguments: &[&str]) -> Project {
    let project = Project::new(small());
    project.run(&[&["keys", "init"], arguments].concat()).ok();
    project
}

/// Checks `out/` as a shell would that was built with root 1.
#[track_caller]
fn verifies_from_root_1(project: &Project) {
    project.run(&["verify", "out", "--root", "keys/root/1.root.json"]).ok();
}

/// The names of key files of a role.
fn files(project: &Project, role: &str) -> Vec<String> {
    let names = fs::read_dir(project.path("keys")).expect("lists");
    let names = names.map(|it| it.expect("an entry").file_name().into_string().expect("text"));
    let mut names: Vec<String> = names.filter(|it| it.starts_with(&format!("{role}-"))).collect();
    names.sort();
    names
}

fn move_key(project: &Project, from: &str, to: &str) {
    fs::create_dir_all(project.path(to).parent().expect("a file has a folder")).expect("makes a folder");
    fs::rename(project.path(from), project.path(to)).expect("moves");
}

/// How many keys have signed each timestamp, and each targets file.
fn signatures(project: &Project) -> (Vec<usize>, Vec<usize>) {
    let of = |name: &str| -> Vec<usize> {
        let public = project.public();
        let found = public.iter().filter(|(key, _)| key.starts_with("t/") && key.ends_with(name));
        found
            .map(|(_, bytes)| {
                let file: Value = serde_json::from_slice(bytes).expect("JSON");
                file["signatures"].as_array().expect("signatures").len()
            })
            .collect()
    };
    (of("timestamp.json"), of("targets.json"))
}

#[cfg(unix)]
#[test]
fn new_private_keys_are_for_their_owner_only_and_never_committed() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = fresh(&["--root-keys", "3", "--threshold", "2"]);
    let mut private = 0;
    for entry in fs::read_dir(project.path("keys")).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|it| it == "pem" || it == "secret") {
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600, "{}", path.display());
            private += 1;
        }
    }
    assert_eq!(private, 6, "three root keys, two online keys and the address secret");
    assert_eq!(fs::read_to_string(project.path("keys/.gitignore")).expect("text"), "*.pem\n*.secret\n");

    let key = project.path("keys").join(&files(&project, "freshness")[0]);
    fs::set_permissions(key, fs::Permissions::from_mode(0o640)).expect("sets a mode");
    project.run(&["compile"]).ends_with(6).says("is open to others (mode 0640)");
}

#[test]
fn keys_are_never_overwritten() {
    let project = fresh(&[]);
    let before = project::read(&project.path("keys"));
    project.run(&["keys", "init"]).ends_with(2).says("already holds keys");
    assert_eq!(changed(&before, &project::read(&project.path("keys"))), [""; 0]);
    project.run(&["keys", "--keys", "x", "init", "--threshold", "4"]).ends_with(2);
    project.run(&["keys", "--keys", "x", "init", "--environment", "development"]).ends_with(2);
    assert!(!project.path("x").exists());
}

#[test]
fn the_list_shows_every_key_to_people_and_machines() {
    let project = fresh(&["--environment", "staging"]);
    project
        .run(&["keys", "list"])
        .ok()
        .says("environment staging · root 1 until 2027-11-23 (365 days left)")
        .says("freshness");
    move_key(&project, &format!("keys/{}", files(&project, "root")[0]), "safe/key.pem");
    project.run(&["keys", "list"]).ok().says("elsewhere");
    let listed = project.run(&["keys", "list", "--format", "json"]).ok().json();
    assert_eq!(listed["root"]["days_left"], 365);
    let keys = listed["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 5);
    assert_eq!(keys.iter().filter(|it| it["private_key"].is_null()).count(), 1);
    assert!(keys.iter().all(|it| it["standing"] == "current"));
}

#[test]
fn a_rotation_never_leaves_a_device_behind() {
    for role in ["entitlement", "freshness"] {
        let project = fresh(&[]);
        project.compile();
        verifies_from_root_1(&project);

        project.run(&["keys", "rotate", role]).ok();
        project.run(&["keys", "rotate", role]).ends_with(2).says("a rotation is under way");
        project.run(&["keys", "rotate", role, "--finish"]).ends_with(6).says("not signed by the new key");
        verifies_from_root_1(&project);

        project.compile();
        let two = vec![2; 3];
        let (fresh, entitled) = signatures(&project);
        assert_eq!(if role == "freshness" { fresh } else { entitled }, two, "both keys sign");
        verifies_from_root_1(&project);

        project.run(&["keys", "rotate", role, "--finish"]).ok().says("root 2 is signed");
        verifies_from_root_1(&project);
        project.compile();
        assert!(project.public().contains_key("root/2.root.json"));
        verifies_from_root_1(&project);
        let report = project.run(&["verify", "out", "--root", "keys/root/1.root.json", "--format", "json"]).ok().json();
        assert_eq!(report["root_version"], 2);

        project.run(&["keys", "rotate", role, "--drop"]).ok().says("it signs no more");
        project.compile();
        assert_eq!(signatures(&project), (vec![1; 3], vec![1; 3]));
        verifies_from_root_1(&project);
        project.run(&["verify", "out", "--root", "keys/root/2.root.json"]).ok();
        project.run(&["keys", "rotate", role, "--drop"]).ends_with(2);
        assert_eq!(files(&project, role).len(), 1);
    }
}

#[test]
fn a_stolen_key_is_cut_off_without_waiting() {
    let project = fresh(&[]);
    project.compile();
    project.run(&["keys", "rotate", "entitlement", "--finish", "--stolen"]).ends_with(2).says("there is no new");
    project.run(&["keys", "rotate", "entitlement"]).ok();
    project
        .run(&["keys", "rotate", "entitlement", "--finish", "--stolen"])
        .ok()
        .says("root 2 is signed")
        .says("Then at once `tenantry keys rotate entitlement --drop`");
    project.run(&["keys", "rotate", "entitlement", "--drop"]).ok();
    project.compile();
    verifies_from_root_1(&project);
    assert_eq!(signatures(&project).1, vec![1; 3]);
}

#[test]
fn the_chain_of_roots_grows_by_renewal_and_replacement() {
    let project = fresh(&[]);
    project.compile();
    project
        .run_at("2027-06-01T00:00:00Z", &["keys", "rotate", "root", "--renew"])
        .ok()
        .says("it holds until 2028-05-31");
    let listed = project.run(&["keys", "list", "--format", "json"]).json();
    let old = listed["keys"][0]["key_id"].as_str().expect("an id").to_owned();
    project.run(&["keys", "rotate", "root", "--replace", "zz"]).ends_with(2).says("the beginning of 0 root key ids");
    project.run(&["keys", "rotate", "root"]).ends_with(2).says("--renew");
    // The lost key is not needed to replace it.
    let lost = files(&project, "root").into_iter().find(|it| it.contains(&old[..8])).expect("its file");
    project.remove(&format!("keys/{lost}"));
    project
        .run_at("2027-06-01T00:00:00Z", &["keys", "rotate", "root", "--replace", &old[..12]])
        .ok()
        .says("root 3 is signed");
    let listed = project.run(&["keys", "list", "--format", "json"]).json();
    assert!(!listed["keys"].to_string().contains(&old));
    project.run_at("2027-12-01T00:00:00Z", &["compile"]).ok();
    let report = project
        .run_at("2027-12-01T00:00:00Z", &["verify", "out", "--root", "keys/root/1.root.json", "--format", "json"]);
    assert_eq!(report.ok().json()["root_version"], 3, "root 1 has expired by then, and still leads to root 3");
}

#[test]
fn an_expired_root_signs_nothing() {
    let project = fresh(&[]);
    project.run_at("2027-10-01T00:00:00Z", &["compile"]).ok().says("root 1 expires in 53 days");
    let before = project.out();
    project.run_at("2027-11-23T00:00:00Z", &["compile"]).ends_with(6).says("root 1 expired");
    assert_eq!(changed(&before, &project.out()), [""; 0]);
    project.run_at("2027-11-23T00:00:00Z", &["keys", "rotate", "root", "--renew"]).ok();
    project.run_at("2027-11-23T00:00:00Z", &["compile"]).ok();
}

#[test]
fn a_root_waits_until_enough_people_have_signed() {
    let project = fresh(&["--root-keys", "2", "--threshold", "2"]);
    let roots = files(&project, "root");
    move_key(&project, &format!("keys/{}", roots[1]), &format!("safe/{}", roots[1]));
    project.run(&["keys", "sign"]).ends_with(2).says("no root is waiting");
    project.run(&["keys", "rotate", "root", "--renew"]).ok().says("pending.json").says("1 of 2");
    assert!(!project.path("keys/root/2.root.json").exists());
    project.run(&["keys", "sign"]).ok().says("1 of 2");
    project.run(&["keys", "rotate", "root", "--renew"]).ends_with(2).says("waiting for signatures already");
    project.compile();
    assert!(!project.public().keys().any(|it| it.contains("pending")), "what waits is not published");

    // The other person signs elsewhere, with the other key and the public files only.
    move_key(&project, &format!("keys/{}", roots[0]), &format!("safe/{}", roots[0]));
    move_key(&project, &format!("safe/{}", roots[1]), &format!("other/{}", roots[1]));
    project::copy(&project.path("keys/root"), &project.path("other/root"));
    project.run(&["keys", "--keys", "other", "sign"]).ok().says("root 2 is signed");
    assert!(!project.path("other/root/pending.json").exists());
    project::copy(&project.path("other/root"), &project.path("keys/root"));
    project.compile();
    verifies_from_root_1(&project);
    assert!(project.public().contains_key("root/2.root.json"));

    // Root 2 came back complete, so nothing waits here any more.
    project.run(&["keys", "sign"]).ends_with(2).says("no root is waiting");
    move_key(&project, &format!("safe/{}", roots[0]), &format!("keys/{}", roots[0]));
    project.run(&["keys", "rotate", "root", "--renew"]).ok().says("1 of 2");
}

/// What a key folder of the fixed seeds would give, from the environment alone.
#[test]
fn keys_may_come_from_the_environment_alone() {
    let project = Project::small();
    project.compile();
    let expected = project.out();
    let keys = project::read(&project.path("keys"));
    for name in keys.keys().filter(|it| !it.starts_with("root/")) {
        project.remove(&format!("keys/{name}"));
    }
    project
        .run(&["compile", "--out", "other"])
        .ends_with(3)
        .says("no entitlement key of root 1 is at hand")
        .says("TENANTRY_ENTITLEMENT_KEY");
    let with = |names: &[&str]| {
        let secret: String = ADDRESS_SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
        let (entitlement, freshness) =
            (FileKey::from_seed(ENTITLEMENT_SEED).to_pem(), FileKey::from_seed(FRESHNESS_SEED).to_pem());
        let all = [
            ("TENANTRY_ENTITLEMENT_KEY", entitlement),
            ("TENANTRY_FRESHNESS_KEY", freshness),
            ("TENANTRY_ADDRESS_SECRET", secret),
        ];
        let mut command = project.command(NOW, &["compile", "--out", "other"]);
        command.envs(all.into_iter().filter(|(name, _)| names.contains(name)));
        command
    };
    run(&mut with(&["TENANTRY_ENTITLEMENT_KEY"])).ends_with(3).says("no freshness key");
    run(&mut with(&["TENANTRY_ENTITLEMENT_KEY", "TENANTRY_FRESHNESS_KEY"])).ends_with(3).says("the address secret");
    let all = ["TENANTRY_ENTITLEMENT_KEY", "TENANTRY_FRESHNESS_KEY", "TENANTRY_ADDRESS_SECRET"];
    for name in all {
        let ran = run(with(&all).env(name, "nonsense")).ends_with(3).says(name);
        assert!(!ran.stderr.contains("nonsense"), "a value that may be secret is not printed: {ran:#?}");
    }
    run(&mut with(&all)).ok();
    assert_eq!(changed(&expected, &project::read(&project.path("other"))), [""; 0]);
}

/// A key in the form that every openssl reads: version 1 of PKCS#8, without the public half.
fn write_plain_pem(project: &Project, path: &str, seed: [u8; 32]) {
    let der = [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..], &seed].concat();
    let body = data_encoding::BASE64.encode(&der);
    project.write(path, format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"));
}

fn public_hex(seed: [u8; 32]) -> String {
    let key = serde_json::to_value(FileKey::from_seed(seed).public_key()).expect("JSON");
    key["keyval"]["public"].as_str().expect("hex").to_owned()
}

/// A project whose entitlement key only a command can use.
fn with_command(script: &str) -> Project {
    let project = Project::small();
    project.write("sign.sh", script);
    let key = FileKey::from_seed(ENTITLEMENT_SEED).key_id().short();
    project.remove(&format!("keys/entitlement-{key}.pem"));
    let public = public_hex(ENTITLEMENT_SEED);
    let keys = format!("spec:\n  keys:\n    entitlement:\n      command: [sh, sign.sh]\n      public_key: {public}\n");
    project.edit("tenantry.yaml", "spec:\n", &keys);
    project
}

#[test]
fn a_command_can_sign() {
    let has_openssl = Command::new("sh")
        .args(["-c", "openssl version && command -v od"])
        .output()
        .is_ok_and(|it| it.status.success());
    if !has_openssl {
        let demanded = std::env::var_os("TENANTRY_REQUIRE_PARTS").is_some_and(|it| it == "1");
        assert!(!demanded, "openssl and od are missing");
        // Past the test harness, which swallows what a passing test prints.
        writeln!(std::io::stderr(), "SKIPPED: openssl and od are missing").expect("stderr is open");
        return;
    }
    // `pkeyutl -rawin` needs a file, since Ed25519 reads its message twice.
    let project = with_command(
        "set -eu\nmessage=$(mktemp)\ntrap 'rm -f \"$message\"' EXIT\ncat > \"$message\"\n\
         openssl pkeyutl -sign -rawin -inkey hsm.pem -in \"$message\" | od -An -v -tx1 | tr -d ' \\n'\n",
    );
    write_plain_pem(&project, "hsm.pem", ENTITLEMENT_SEED);
    project.compile();
    verifies_from_root_1(&project);
    let other = Project::small();
    other.edit("tenantry.yaml", "spec:\n", "spec:\n  # The same key in a file.\n");
    other.compile();
    let (ours, theirs) = (signatures(&project), signatures(&other));
    assert_eq!(ours, theirs);

    // Another key under the same name: its signatures are well made, and worth nothing.
    let before = project.out();
    write_plain_pem(&project, "hsm.pem", [77; 32]);
    let (path, text) = tenant("dune", "business", "");
    project.write(&path, text);
    project.run(&["compile"]).ends_with(3).says("did not give a signature of the public key it is configured with");
    assert_eq!(changed(&before, &project.out()), [""; 0], "nothing was written");
}

#[test]
fn a_command_that_fails_stops_everything_before_anything_is_written() {
    let cases = [
        ("echo the token is locked >&2\nexit 9\n", "the token is locked"),
        ("cat > /dev/null\necho 00\n", "did not give a signature"),
        ("cat > /dev/null\nprintf '%0128d' 0\n", "did not give a signature"),
        ("exit 0\n", "sh"),
    ];
    for (script, words) in cases {
        let project = with_command(script);
        project.run(&["compile"]).ends_with(3).says("cannot sign").says(words);
        let written: Vec<String> = project.out().into_keys().filter(|it| it != "state/lock").collect();
        assert_eq!(written, [""; 0], "after `{script}`");
    }
    let project = with_command("");
    project.edit("tenantry.yaml", "[sh, sign.sh]", "[/there/is/no/such/program]");
    project.run(&["compile"]).ends_with(3).says("/there/is/no/such/program");
}

#[test]
fn development_keys_are_marked_in_every_file_and_warned_about() {
    let project = Project::new(small());
    project.compile().says("DEVELOPMENT");
    let mut marked = 0;
    for (key, bytes) in project.public().iter().filter(|(key, _)| key.ends_with(".json")) {
        let file: Value = serde_json::from_slice(bytes).expect("JSON");
        let mark = match key.ends_with(".manifest.json") {
            true => &file["environment"],
            false => &file["signed"]["x-tenantry"]["environment"],
        };
        assert_eq!(mark, "development", "{key}");
        marked += 1;
    }
    assert_eq!(marked, 1 + 4 * 3, "a root, and for each tenant a manifest and three roles");
    project.run(&["verify", "out"]).ok().says("DEVELOPMENT");
    assert!(!project.path("keys").exists());
    // The same keys the next time, so that it settles.
    project.compile().says("nothing changed");
}

/// A key in an HSM or in CI's variables is no file here: a rotation to it names its public half.
#[test]
fn a_role_can_move_to_a_key_that_is_no_file() {
    let project = Project::small();
    let new = [88; 32];
    let compile = |project: &Project| {
        let mut command = project.command(NOW, &["compile"]);
        run(command.env("TENANTRY_ENTITLEMENT_KEY", FileKey::from_seed(new).to_pem())).ok();
        verifies_from_root_1(project);
    };
    project.compile();
    let finish = ["keys", "rotate", "entitlement", "--finish", "--public-key", &public_hex(new)];
    project.run(&finish).ends_with(6).says("is not signed by the new key");
    compile(&project);
    project
        .run(&["keys", "rotate", "entitlement", "--finish", "--public-key", "zz"])
        .ends_with(2)
        .says("64 hex digits");
    project.run(&finish).ok();
    compile(&project);
    project.run(&["keys", "rotate", "entitlement", "--drop"]).ok();
    compile(&project);
    project.run(&["compile"]).ends_with(3).says("no entitlement key of root 2 is at hand");
}
