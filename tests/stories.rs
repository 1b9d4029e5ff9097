//! The example project at the root of this repository tells the stories that its comments promise. Everything is
//! read from a publication that the binary made of it, as a shell would read it.
#![expect(clippy::disallowed_methods, reason = "a test reads what the binary wrote")]

#[path = "support/binary.rs"]
mod binary;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use tenantry::manifest::{Manifest, MiniProgram};

use crate::binary::{command, ran, tenantry};

/// The day on which the stories are told.
const NOW: &str = "2026-11-23";

/// The publication of that day; every story reads the same one.
static PUBLICATION: LazyLock<Publication> = LazyLock::new(|| Publication::at(NOW));

struct Publication {
    /// By the name of the tenant.
    tenants: BTreeMap<String, Published>,
}

struct Published {
    manifest: Manifest,
    /// All that a shell of this tenant can come to read: its metadata and its manifest.
    visible: String,
}

fn example() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Publication {
    fn at(time: &str) -> Publication {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let (keys, out) = (path("keys"), path("out"));
        // Made on the day of the stories, whenever the test runs: its root must not expire.
        let made =
            ran(command(example()).args(["keys", "--keys", &keys, "init"]).env("SOURCE_DATE_EPOCH", "1795392000"));
        assert_eq!(made.code, 0, "{}", made.stderr);
        let compiled = tenantry(example(), &["compile", "--at", time, "--keys", &keys, "--out", &out]);
        assert_eq!(compiled.code, 0, "{}", compiled.stderr);
        if time == NOW {
            assert_eq!(compiled.stderr, "", "the example has no warnings either");
        }
        Publication::read(&PathBuf::from(out))
    }

    fn read(out: &Path) -> Publication {
        let json = |path: PathBuf| -> Value {
            serde_json::from_slice(&fs::read(path).expect("a file of the publication")).expect("JSON")
        };
        let index = json(out.join("state/index.json"));
        let tenants = index["tenants"].as_object().expect("tenants").iter().map(|(addr, record)| {
            let key = format!("{}.{addr}.manifest.json", record["manifest"]["sha256"].as_str().expect("a digest"));
            let bytes = fs::read(out.join("o").join(key)).expect("the manifest");
            let own = fs::read_dir(out.join("t").join(addr)).expect("the tenant's folder");
            let metadata = own.map(|it| fs::read_to_string(it.expect("an entry").path()).expect("metadata is text"));
            let visible = metadata.chain([String::from_utf8(bytes.clone()).expect("a manifest is text")]).collect();
            let manifest = serde_json::from_slice(&bytes).expect("a manifest");
            (record["name"].as_str().expect("a name").to_owned(), Published { manifest, visible })
        });
        Publication { tenants: tenants.collect() }
    }

    fn tenant(&self, name: &str) -> &Published {
        self.tenants.get(name).unwrap_or_else(|| panic!("no tenant `{name}`"))
    }

    /// A line-up, one line a program.
    fn line_up(&self, name: &str) -> Vec<String> {
        self.tenant(name).manifest.mini_programs.iter().map(line).collect()
    }

    fn programs(&self, name: &str) -> BTreeSet<&str> {
        self.tenant(name).manifest.mini_programs.iter().map(|it| short(&it.app_id)).collect()
    }

    /// Who has a program, now or later.
    fn who_has(&self, program: &str) -> Vec<&str> {
        let having = self.tenants.iter().filter(|(name, _)| self.programs(name).contains(program));
        having.map(|(name, _)| name.as_str()).collect()
    }

    fn program(&self, tenant: &str, program: &str) -> &MiniProgram<'static> {
        let mut programs = self.tenant(tenant).manifest.mini_programs.iter();
        programs.find(|it| short(&it.app_id) == program).unwrap_or_else(|| panic!("{tenant} has no {program}"))
    }

    /// The version that a shell of this level takes.
    fn version_at(&self, tenant: &str, program: &str, level: u32) -> Option<&str> {
        let mut releases = self.program(tenant, program).releases.iter();
        let taken = releases.find(|it| {
            let range = &it.platform_version;
            range.min_code <= level && range.max_code.is_none_or(|max| level <= max)
        });
        taken.map(|it| it.version.name.as_str())
    }
}

fn short(app_id: &str) -> &str {
    app_id.strip_prefix("com.example.").expect("a program of the example")
}

/// `expenses 2.0.0@12.. 1.9.3@10..11`, then its window by days, then whether it waits to be asked for.
fn line(program: &MiniProgram<'_>) -> String {
    let mut line = short(&program.app_id).to_owned();
    for release in &program.releases {
        let range = &release.platform_version;
        let max = range.max_code.map(|max| max.to_string()).unwrap_or_default();
        line += &format!(" {}@{}..{max}", release.version.name, range.min_code);
    }
    let day = |time: tenantry::time::Timestamp| time.to_string().replace("T00:00:00Z", "");
    line += &program.valid_from.map(|it| format!(" from {}", day(it))).unwrap_or_default();
    line += &program.valid_until.map(|it| format!(" until {}", day(it))).unwrap_or_default();
    line + if program.preload { "" } else { " optional" }
}

fn explain(tenant: &str, program: &str) -> String {
    let explained = tenantry(example(), &["explain", tenant, &format!("com.example.{program}"), "--at", NOW]);
    assert_eq!((explained.code, &*explained.stderr), (0, ""));
    explained.stdout
}

/// What a tenant's own file says, to compare with what it gets.
fn written(tenant: &str) -> Value {
    let path = example().join("tenants").join(&tenant[..1]).join(format!("{tenant}.yaml"));
    serde_yaml::from_str::<Value>(&fs::read_to_string(path).expect("the tenant's file")).expect("YAML")["spec"].clone()
}

// The premium customer.

#[test]
fn the_premium_customer_gets_its_plan_and_what_the_add_on_brings() {
    assert_eq!(
        PUBLICATION.line_up("lumen-retail"),
        [
            "analytics 1.2.0@12.. from 2026-01-01",
            "chat 4.0.1@10.. from 2026-01-01",
            "esign 2.3.0@12.. from 2026-01-01",
            "expenses 2.0.0@12.. 1.9.3@10..11 from 2026-01-01",
            "forecast 1.0.0@12.. from 2026-01-01",
            "helpdesk 2.0.0@10.. from 2026-01-01",
            "identity 1.4.0@10.. from 2026-01-01",
            "inspection 3.3.0@14.. 3.2.0@10..13 from 2026-01-01 optional",
            "roster 1.1.0@10.. from 2026-01-01",
            "vault 1.0.2@10.. from 2026-01-01",
        ]
    );
    // Orchid Diagnostics has the same plan and nothing besides: the common set.
    let mut common = PUBLICATION.programs("lumen-retail");
    assert!(common.remove("analytics") && common.remove("forecast"));
    assert_eq!(common, PUBLICATION.programs("orchid-diagnostics"));
}

#[test]
fn analytics_and_forecast_reach_exactly_those_who_bought_or_were_granted_them() {
    // Three have advanced-analytics, one a granted trial of forecast, which needs analytics.
    assert_eq!(
        PUBLICATION.who_has("forecast"),
        ["indigo-regional-air", "kestrel-telecom", "lumen-retail", "zephyr-rail"]
    );
    // Two more have essential-analytics, which has no forecast.
    assert_eq!(
        PUBLICATION.who_has("analytics"),
        [
            "granite-insurance",
            "harbour-hotels",
            "indigo-regional-air",
            "kestrel-telecom",
            "lumen-retail",
            "zephyr-rail"
        ]
    );
    // The same again from the tenants' files, so that a new customer in the example cannot slip by.
    let entitled = |add_ons: &[&str], grant: &str| -> Vec<&str> {
        let names = PUBLICATION.tenants.keys().map(String::as_str);
        names
            .filter(|name| {
                let spec = written(name);
                let list = |key: &str| spec[key].as_array().cloned().unwrap_or_default();
                list("add_ons").iter().any(|it| add_ons.iter().any(|add_on| it == add_on))
                    || list("overrides").iter().any(|it| it["grant"] == grant)
            })
            .collect()
    };
    assert_eq!(PUBLICATION.who_has("forecast"), entitled(&["advanced-analytics"], "com.example.forecast"));
    let both = ["advanced-analytics", "essential-analytics"];
    assert_eq!(PUBLICATION.who_has("analytics"), entitled(&both, "com.example.forecast"));
}

#[test]
fn a_tenant_without_forecast_cannot_even_learn_that_it_exists() {
    let bundle = &PUBLICATION.program("lumen-retail", "forecast").releases[0].bundle;
    let (tree, archive) = (bundle.blake3.to_string(), bundle.sha256.to_string());
    let traces = ["com.example.forecast", &tree, &archive];
    let seeing = PUBLICATION.tenants.iter().filter(|(_, it)| traces.iter().any(|trace| it.visible.contains(trace)));
    let seeing: Vec<&str> = seeing.map(|(name, _)| name.as_str()).collect();
    assert_eq!(seeing, PUBLICATION.who_has("forecast"));
}

// The regulated customer.

#[test]
fn the_regulated_customer_gets_only_what_its_profile_allows_of_the_larger_plan_it_bought() {
    assert_eq!(
        PUBLICATION.line_up("aurora-bank"),
        [
            "esign 2.3.0@12.. from 2026-01-01",
            // 2.0.0 is approved, not online, so even the newest phone stays on 1.9.3.
            "expenses 1.9.3@10.. from 2026-01-01",
            "identity 1.4.0@10.. from 2026-01-01",
            "roster 1.1.0@10.. from 2026-01-01",
            "vault 1.0.2@10.. from 2026-01-01",
        ]
    );
    // Chat, helpdesk and inspection are in the plan, and out.
    let mut plan = PUBLICATION.programs("orchid-diagnostics");
    assert!(["chat", "helpdesk", "inspection"].iter().all(|program| plan.remove(program)));
    assert_eq!(PUBLICATION.programs("aurora-bank"), plan);
    assert_eq!(
        explain("aurora-bank", "chat"),
        "com.example.chat is out: profile `eu-banking` does not allow program `com.example.chat` \
         (catalog/compliance/eu-banking.yaml:25); plan `premium` contains it through plan `business` \
         (catalog/plans/business.yaml:17)\n"
    );
}

#[test]
fn a_profile_wins_over_an_override_that_grants() {
    // Cobalt Savings was granted chat by hand; its profile forbids it.
    assert_eq!(written("cobalt-savings")["overrides"][0]["grant"], "com.example.chat");
    assert_eq!(
        PUBLICATION.line_up("cobalt-savings"),
        [
            "esign 2.3.0@12.. from 2026-01-01",
            "expenses 1.9.3@10.. from 2026-01-01",
            "identity 1.4.0@10.. from 2026-01-01",
            "roster 1.1.0@10.. from 2026-01-01",
            "vault 1.0.2@10.. from 2026-01-01",
        ]
    );
}

#[test]
fn a_hospital_gets_no_program_that_follows_people_or_holds_restricted_data() {
    // Willow Grove has premium: no inspection (location), no vault and esign (restricted), no chat (no region).
    assert_eq!(
        PUBLICATION.line_up("willow-grove-care"),
        [
            "expenses 2.0.0@12.. 1.9.3@10..11 from 2026-01-01",
            "helpdesk 2.0.0@10.. from 2026-01-01",
            "identity 1.4.0@10.. from 2026-01-01",
            "roster 1.1.0@10.. from 2026-01-01",
        ]
    );
}

// Tenants that are not served.

#[test]
fn a_suspended_tenant_has_an_empty_line_up_that_is_still_signed() {
    assert_eq!(PUBLICATION.line_up("falcon-freight"), [""; 0]);
    assert_eq!(
        explain("falcon-freight", "roster"),
        "com.example.roster is out: tenant `falcon-freight` is suspended (tenants/f/falcon-freight.yaml:15); \
         plan `business` contains it (catalog/plans/business.yaml:13)\n"
    );
}

#[test]
fn an_inactive_tenant_stays_as_a_tombstone_with_nothing_in_it() {
    assert_eq!(PUBLICATION.line_up("pinecrest-property"), [""; 0]);
}

// Licences.

#[test]
fn a_licence_that_begins_later_is_compiled_ahead_and_shells_switch_by_themselves() {
    assert_eq!(
        PUBLICATION.line_up("maple-credit-union"),
        [
            "helpdesk-lite 1.0.0@10.. from 2027-01-01",
            "identity 1.4.0@10.. from 2027-01-01",
            "roster 1.1.0@10.. from 2027-01-01",
        ]
    );
    assert_eq!(
        explain("maple-credit-union", "roster"),
        "com.example.roster 1.1.0 comes on 2027-01-01T00:00:00Z: the licence of tenant `maple-credit-union` begins then \
         (tenants/m/maple-credit-union.yaml:16); plan `starter` contains it (catalog/plans/starter.yaml:14)\n"
    );
}

#[test]
fn a_licence_in_grace_keeps_everything_until_the_grace_ends() {
    assert_eq!(
        PUBLICATION.line_up("orchid-diagnostics"),
        [
            "chat 4.0.1@10.. from 2025-11-15 until 2026-12-15",
            "esign 2.3.0@12.. from 2025-11-15 until 2026-12-15",
            "expenses 2.0.0@12.. 1.9.3@10..11 from 2025-11-15 until 2026-12-15",
            "helpdesk 2.0.0@10.. from 2025-11-15 until 2026-12-15",
            "identity 1.4.0@10.. from 2025-11-15 until 2026-12-15",
            "inspection 3.3.0@14.. 3.2.0@10..13 from 2025-11-15 until 2026-12-15 optional",
            "roster 1.1.0@10.. from 2025-11-15 until 2026-12-15",
            "vault 1.0.2@10.. from 2025-11-15 until 2026-12-15",
        ]
    );
}

#[test]
fn an_ended_licence_that_revokes_leaves_nothing() {
    assert_eq!(PUBLICATION.line_up("lagoon-resorts"), [""; 0]);
    assert_eq!(
        explain("lagoon-resorts", "roster"),
        "com.example.roster is out: the licence of tenant `lagoon-resorts` was over on 2026-04-14T00:00:00Z, grace included \
         (tenants/l/lagoon-resorts.yaml:16); plan `business` contains it (catalog/plans/business.yaml:13)\n"
    );
}

#[test]
fn an_ended_licence_that_restricts_keeps_what_it_had_and_gets_nothing_newer() {
    assert_eq!(
        PUBLICATION.line_up("meridian-media"),
        [
            "chat 4.0.1@10.. from 2025-07-01",
            // 2.0.0 was reviewed in September; the licence ended in June.
            "expenses 1.9.3@10.. from 2025-07-01",
            "helpdesk 2.0.0@10.. from 2025-07-01",
            "identity 1.4.0@10.. from 2025-07-01",
            "inspection 3.2.0@10.. from 2025-07-01 optional",
            "roster 1.1.0@10.. from 2025-07-01",
        ]
    );
}

#[test]
fn an_ended_licence_that_maintains_goes_on_and_gets_newer_versions_too() {
    assert_eq!(
        PUBLICATION.line_up("nordhavn-kommune"),
        [
            // Chat reads contacts, which the profile denies.
            "expenses 2.0.0@12.. 1.9.3@10..11 from 2022-09-01",
            "helpdesk 2.0.0@10.. from 2022-09-01",
            "identity 1.4.0@10.. from 2022-09-01",
            "inspection 3.3.0@14.. 3.2.0@10..13 from 2022-09-01 optional",
            "roster 1.1.0@10.. from 2022-09-01",
        ]
    );
}

// Overrides.

#[test]
fn a_granted_trial_ends_by_itself_and_what_came_only_for_it_ends_with_it() {
    let line_up = PUBLICATION.line_up("indigo-regional-air");
    let ending: Vec<&str> = line_up.iter().filter(|it| it.contains("until")).map(String::as_str).collect();
    assert_eq!(
        ending,
        [
            "analytics 1.2.0@12.. from 2026-01-01 until 2027-03-31",
            "forecast 1.0.0@12.. from 2026-01-01 until 2027-03-31",
        ]
    );
    // The rest is the plan's.
    let mut rest = PUBLICATION.programs("indigo-regional-air");
    assert!(rest.remove("analytics") && rest.remove("forecast"));
    assert_eq!(rest, PUBLICATION.programs("orchid-diagnostics"));
}

#[test]
fn a_grant_with_a_range_keeps_to_the_versions_that_were_promised() {
    // 3.3.0 is there for shells of level 14 and up; the promise was about 3.2.
    assert_eq!(
        PUBLICATION.line_up("umbra-architetti"),
        [
            "helpdesk-lite 1.0.0@10.. from 2026-01-01",
            "identity 1.4.0@10.. from 2026-01-01",
            "inspection 3.2.0@10.. from 2026-01-01 until 2027-06-30",
            "roster 1.1.0@10.. from 2026-01-01",
        ]
    );
}

#[test]
fn a_legal_hold_takes_a_program_away_until_it_is_lifted() {
    assert_eq!(
        PUBLICATION.line_up("evergreen-logistics"),
        [
            "chat 4.0.1@10.. from 2027-06-30",
            "expenses 2.0.0@12.. 1.9.3@10..11 from 2026-01-01",
            "helpdesk 2.0.0@10.. from 2026-01-01",
            "identity 1.4.0@10.. from 2026-01-01",
            "inspection 3.3.0@14.. 3.2.0@10..13 from 2026-01-01",
            "roster 1.1.0@10.. from 2026-01-01",
        ]
    );
    assert_eq!(
        explain("evergreen-logistics", "chat"),
        "com.example.chat 4.0.1 comes on 2027-06-30T00:00:00Z: an override of tenant `evergreen-logistics` takes it away \
         until then (tenants/e/evergreen-logistics.yaml:23); plan `business` contains it (catalog/plans/business.yaml:17)\n"
    );
}

// Versions.

#[test]
fn a_validated_factory_gets_what_it_pinned_and_nothing_else() {
    // Chat is in the plan and has no pin.
    assert_eq!(
        PUBLICATION.line_up("hoshino-precision"),
        [
            "expenses 1.9.3@10.. from 2026-04-01",
            "helpdesk 2.0.0@10.. from 2026-04-01",
            "identity 1.4.0@10.. from 2026-04-01",
            "inspection 3.2.0@10.. from 2026-04-01",
            "roster 1.1.0@10.. from 2026-04-01",
        ]
    );
}

#[test]
fn one_pin_holds_one_program_back() {
    // Fjordlys pins expenses 1; inspection moves on.
    let line_up = PUBLICATION.line_up("fjordlys-energi");
    assert_eq!(
        line_up,
        [
            "expenses 1.9.3@10.. from 2026-01-01",
            "helpdesk 2.0.0@10.. from 2026-01-01",
            "identity 1.4.0@10.. from 2026-01-01",
            "inspection 3.3.0@14.. 3.2.0@10..13 from 2026-01-01 optional",
            "roster 1.1.0@10.. from 2026-01-01",
        ]
    );
}

#[test]
fn the_beta_channel_has_the_pre_release_and_nobody_else_does() {
    let has_beta = |name: &&str| {
        let programs = &PUBLICATION.tenant(name).manifest.mini_programs;
        programs.iter().flat_map(|it| &it.releases).any(|it| it.version.name.contains("beta"))
    };
    let names: Vec<&str> = PUBLICATION.tenants.keys().map(String::as_str).filter(has_beta).collect();
    assert_eq!(names, ["baltic-ferries", "kestrel-telecom"]);
    assert_eq!(
        line(PUBLICATION.program("kestrel-telecom", "expenses")),
        "expenses 2.1.0-beta.1@12.. 1.9.3@10..11 from 2026-01-01"
    );
}

#[test]
fn a_data_region_keeps_out_what_stores_its_data_elsewhere() {
    // Juniper & Pike bought vault and esign together; esign keeps its data in the EU only.
    assert_eq!(
        PUBLICATION.line_up("juniper-and-pike"),
        [
            "chat 4.0.1@10.. from 2026-01-01",
            "expenses 2.0.0@12.. 1.9.3@10..11 from 2026-01-01",
            "helpdesk 2.0.0@10.. from 2026-01-01",
            "identity 1.4.0@10.. from 2026-01-01",
            "inspection 3.3.0@14.. 3.2.0@10..13 from 2026-01-01 optional",
            "roster 1.1.0@10.. from 2026-01-01",
            "vault 1.0.2@10.. from 2026-01-01",
        ]
    );
    assert_eq!(
        explain("juniper-and-pike", "esign"),
        "com.example.esign is out: tenant `juniper-and-pike` keeps data in `us`, the data is kept in `eu` \
         (tenants/j/juniper-and-pike.yaml:21); add-on `secure-documents` contains it \
         (catalog/add-ons/secure-documents.yaml:15)\n"
    );
}

#[test]
fn an_old_shell_keeps_the_old_version_and_a_new_one_gets_the_new() {
    let expenses = |level| PUBLICATION.version_at("lumen-retail", "expenses", level);
    let levels = [9, 10, 11, 12, 14, 15];
    let expected = [None, Some("1.9.3"), Some("1.9.3"), Some("2.0.0"), Some("2.0.0"), Some("2.0.0")];
    assert_eq!(levels.map(expenses), expected);
    // The old version brings its own face: it has no dashboard page.
    let releases = &PUBLICATION.program("lumen-retail", "expenses").releases;
    let old = releases[1].face.as_ref().expect("1.9.3 differs from 2.0.0");
    assert_eq!(old.pages.as_ref(), ["pages/index.html", "pages/claim.html", "pages/new.html"]);
    // Whoever has the browser only needs no old version.
    assert_eq!(line(PUBLICATION.program("xylo-instruments", "expenses")), "expenses 2.0.0@12.. from 2026-02-01");
}

// Time goes on.

#[test]
fn when_the_trial_the_grace_and_the_hold_are_over_the_line_ups_have_changed_by_themselves() {
    let later = Publication::at("2027-07-01");
    assert_eq!(later.who_has("forecast"), ["kestrel-telecom", "lumen-retail", "zephyr-rail"]);
    assert_eq!(later.line_up("orchid-diagnostics"), [""; 0]);
    assert_eq!(line(later.program("evergreen-logistics", "chat")), "chat 4.0.1@10.. from 2026-01-01");
    assert_eq!(
        later.line_up("maple-credit-union"),
        [
            "helpdesk-lite 1.0.0@10.. from 2027-01-01",
            "identity 1.4.0@10.. from 2027-01-01",
            "roster 1.1.0@10.. from 2027-01-01",
        ]
    );
}
