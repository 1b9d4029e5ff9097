//! The catalogue of a generated project: what the vendor has to sell.
//!
//! A fifth of all programs come with plans, two fifths with add-ons, a fifth are libraries that others depend on,
//! and the rest is sold by exception only.

use std::fmt::Write as _;
use std::ops::Range;

use super::Shape;
use super::random::Random;

/// How many add-ons there are.
pub(crate) const ADD_ONS: usize = 20;

/// Plans, the one with the most customers first; `legacy` is no longer sold and extends nothing.
pub(crate) const PLANS: [&str; 6] = ["starter", "team", "business", "premium", "enterprise", "legacy"];

/// Compliance profiles; the last two let few programs through.
pub(crate) const PROFILES: [&str; 5] = ["baseline", "privacy-eu", "frozen-quarter", "regulated-eu", "health-us"];

/// A program whose first two versions may be pinned: in every plan, and always granted without a range.
pub(crate) const PINNABLE: usize = 1;

/// Programs with settings that every plan has.
pub(crate) const CONFIGURABLE: [usize; 1] = [2];

const AREAS: [&str; 10] =
    ["identity", "expenses", "roster", "helpdesk", "chat", "vault", "esign", "analytics", "inspection", "travel"];

const PERMISSIONS: [(&str, &str); 8] = [
    ("notifications", "Tells you when something waits for you."),
    ("camera", "Photographs receipts and findings."),
    ("files.read", "Opens the documents that you choose."),
    ("files.write", "Keeps what you download."),
    ("location.coarse", "Finds the office that you are in."),
    ("microphone", "Records a spoken note."),
    ("location.precise", "Marks where an inspection was made."),
    ("contacts.read", "Suggests colleagues."),
];

const WORDS: [&str; 24] = [
    "account",
    "button",
    "cancel",
    "container",
    "content",
    "detail",
    "document",
    "element",
    "empty",
    "fetch",
    "format",
    "header",
    "list",
    "message",
    "number",
    "open",
    "page",
    "render",
    "request",
    "save",
    "section",
    "status",
    "title",
    "value",
];

/// Which programs come with plans.
pub(crate) fn in_plans(programs: usize) -> Range<usize> {
    0..programs / 5
}

/// Which programs come with add-ons.
fn in_add_ons(programs: usize) -> Range<usize> {
    programs / 5..programs * 3 / 5
}

/// Which programs are there because others depend on them.
fn libraries(programs: usize) -> Range<usize> {
    programs * 3 / 5..programs * 4 / 5
}

/// Which programs are granted by exception only.
pub(crate) fn by_exception(programs: usize) -> Range<usize> {
    programs * 4 / 5..programs
}

/// The identifier of a program.
pub(crate) fn app_id(program: usize) -> String {
    format!("com.example.{}-{program:03}", AREAS[program % AREAS.len()])
}

/// The name of an add-on.
pub(crate) fn add_on(number: usize) -> String {
    format!("extra-{number:02}")
}

/// Whether an add-on can be bought by customers of `starter` and `legacy` too.
pub(crate) fn is_for_everybody(add_on: usize) -> bool {
    add_on % 5 != 4
}

/// Every file that is no tenant.
pub(crate) fn files(shape: &Shape) -> Vec<(String, String)> {
    let mut files = vec![("tenantry.yaml".to_owned(), project())];
    for (at, plan) in PLANS.iter().enumerate() {
        files.push((format!("catalog/plans/{plan}.yaml"), plan_document(shape, at)));
    }
    for number in 0..ADD_ONS {
        files.push((format!("catalog/add-ons/{}.yaml", add_on(number)), add_on_document(shape, number)));
    }
    for (name, text) in PROFILES.iter().zip(profiles()) {
        files.push((format!("catalog/compliance/{name}.yaml"), text));
    }
    for (name, codes) in [("android-shell", "[10, 12, 14, 15]"), ("ios-shell", "[10, 12, 14]"), ("web-shell", "[15]")] {
        files.push((format!("catalog/shells/{name}.yaml"), shell(name, codes)));
    }
    (0..shape.programs).for_each(|number| program(shape, number, &mut files));
    files
}

fn head(kind: &str, name: &str, title: &str) -> String {
    format!("apiVersion: tenantry.dev/v1\nkind: {kind}\nmetadata:\n  name: {name}\n  title: {title}\n")
}

fn project() -> String {
    let head = head("Project", "generated", "A generated project");
    format!(
        "{head}spec:\n  base_url: https://cdn.example.com/\n  defaults:\n    channel: stable\n    offline_grace: P14D\n"
    )
}

fn plan_document(shape: &Shape, at: usize) -> String {
    let count = in_plans(shape.programs).len();
    // Each plan adds its slice to the one before.
    let ends = [0, count * 3 / 20, count * 6 / 20, count / 2, count * 14 / 20, count * 18 / 20];
    let own: Vec<usize> = match PLANS[at] {
        "legacy" => (0..count / 2).filter(|program| program % 3 != 0).collect(),
        _ => (ends[at]..ends[at + 1]).collect(),
    };
    let mut text = head("Plan", PLANS[at], PLANS[at]);
    let _ = write!(text, "  owner: commercial\nspec:\n  lookup_key: plan_{}\n", PLANS[at]);
    match PLANS[at] {
        "starter" => {}
        "legacy" => text += "  status: legacy\n",
        _ => {
            let _ = writeln!(text, "  extends: {}", PLANS[at - 1]);
        }
    }
    text += "  mini_programs:\n";
    own.iter().for_each(|program| grant(&mut text, *program));
    let _ = write!(
        text,
        "  entitlements:\n    workspaces: {}\n    storage_gb: {}\n    single_sign_on: {}\n  limits:\n    max_upload_mb: {}\n",
        1 + at * at * 5,
        10 << at,
        at > 1,
        10 + at * 40
    );
    let _ = write!(text, "  ext:\n    {}:\n      page_size: {}\n", app_id(CONFIGURABLE[0]), 20 + at * 10);
    text
}

fn add_on_document(shape: &Shape, number: usize) -> String {
    let sold = in_add_ons(shape.programs);
    let each = sold.len() / ADD_ONS;
    let first = sold.start + number * each;
    // Every third add-on is a single program with rights around it.
    let own = first..first + if number % 3 == 2 { 1 } else { each };
    let name = add_on(number);
    let mut text = head("AddOn", &name, &name);
    let _ = write!(text, "  owner: commercial\nspec:\n  lookup_key: addon_{number:02}\n");
    if !is_for_everybody(number) {
        text += "  requires_plans: [team]\n";
    }
    text += "  mini_programs:\n";
    own.for_each(|program| grant(&mut text, program));
    let _ = write!(text, "  entitlements:\n    feature_{number:02}: true\n    storage_gb: {}\n", 50 + number * 10);
    text
}

fn grant(text: &mut String, program: usize) {
    let _ = writeln!(text, "    - app_id: {}", app_id(program));
    match program % 10 {
        7 => *text += "      range: \"^1\"\n",
        9 => *text += "      optional: true\n",
        _ => {}
    }
}

fn profiles() -> [String; 5] {
    let profile = |at: usize, rules: &str| {
        let head = head("ComplianceProfile", PROFILES[at], PROFILES[at]);
        format!("{head}  owner: compliance-office\nspec:\n{rules}")
    };
    let controls = "  controls:\n    - id: pt-2\n      statement: Personal data is processed only where there is authority to do so.\n";
    let closed: String = AREAS[..7].iter().map(|area| format!("      - com.example.{area}-*\n")).collect();
    [
        profile(
            0,
            &format!(
                "{controls}  permissions:\n    deny: [contacts.read, sms.*]\n  review:\n    min_status: approved\n"
            ),
        ),
        profile(1, "  imports: [baseline]\n  egress:\n    deny: [\"*.ads.example.com\"]\n"),
        profile(
            2,
            "  imports: [baseline]\n  update:\n    freeze_windows:\n      - from: \"2026-06-01\"\n        until: \"2035-01-01\"\n",
        ),
        profile(
            3,
            &format!(
                "  imports: [privacy-eu]\n  mini_programs:\n    allow:\n{closed}  data:\n    regions: [eu]\n  review:\n    min_status: online\n    min_soak: P30D\n  manifest:\n    max_ttl: P14D\n"
            ),
        ),
        profile(
            4,
            "  imports: [baseline]\n  mini_programs:\n    deny: [com.example.chat-*]\n  permissions:\n    deny: [microphone, location.*]\n  data:\n    max_classification: confidential\n  manifest:\n    offline_grace: P3D\n",
        ),
    ]
}

fn shell(name: &str, codes: &str) -> String {
    let mut text = head("Shell", name, name);
    let _ = write!(text, "  owner: mobile-team\nspec:\n  platform_codes: {codes}\n");
    if name == "ios-shell" {
        text += "  branding_schema:\n    type: object\n    properties:\n      name:\n        type: string\n        maxLength: 40\n      window:\n        type: object\n        properties:\n          navigation_bar_background_color:\n            type: string\n            pattern: \"^#[0-9a-f]{6}$\"\n";
    }
    text
}

fn program(shape: &Shape, number: usize, files: &mut Vec<(String, String)>) {
    let mut random = Random::new(shape.seed, "program", number);
    let versions = match number {
        PINNABLE => 2,
        _ => 1 + random.weighted(&[40, 40, 20]),
    };
    let facts = facts(shape, number, &mut random);
    for version in 0..versions {
        let name = match version {
            0 => "1.4.0",
            1 => "2.0.1",
            _ if number.is_multiple_of(2) => "2.1.0-beta.1",
            _ => "2.1.0",
        };
        let folder = format!("catalog/programs/{}/{name}", app_id(number));
        let mut text = head("MiniProgram", &format!("program-{number:03}"), &format!("Program {number}"));
        let _ = write!(text, "  owner: team-{:02}\nspec:\n  app_id: {}\n", number % 17, app_id(number));
        let _ = write!(text, "  version:\n    code: {}\n    name: \"{name}\"\n", (version + 1) * 10);
        let (min_code, target_code) = match version {
            0 => (8, 10),
            _ if number.is_multiple_of(3) => (12, 14),
            _ => (10, 14),
        };
        let _ = write!(text, "  platform_version:\n    min_code: {min_code}\n    target_code: {target_code}\n");
        let status = match version {
            0 => "online",
            1 => *random.pick(&["online", "online", "online", "approved", "audit"]),
            _ => *random.pick(&["approved", "approved", "audit"]),
        };
        let since = format!("{}-{:02}-{:02}", 2024 + version, 1 + random.below(9), 1 + random.below(28));
        let _ = write!(
            text,
            "  review:\n    status: {status}\n    since: \"{since}\"\n    reviewed_by: [security-review]\n"
        );
        text += &facts;
        files.push((format!("{folder}/program.yaml"), text));
        if has_template(number) {
            let template =
                "{\n  \"organisation\": {{ tenant.branding.name | tojson }},\n  \"settings\": {{ ext | tojson }}\n}\n";
            files.push((format!("{folder}/templates/tenant.json.j2"), template.to_owned()));
        }
        package(&folder, number, &mut random, files);
    }
}

fn has_template(program: usize) -> bool {
    program % 16 == 13 && program > 16
}

/// What is said alike of every version.
fn facts(shape: &Shape, number: usize, random: &mut Random) -> String {
    let mut text = format!("  name: Program {number}\n  short_name: P{number}\n");
    text += "  description: Does one thing for people at work, and shows what it has done.\n  lang: en\n";
    text += "  icons:\n    - src: icon.svg\n      sizes: any\n  pages: [index.html]\n";
    let _ = write!(text, "  window:\n    navigation_bar_title_text: Program {number}\n");
    let first = random.below(4);
    let permissions = &PERMISSIONS[first..first + random.below(5)];
    if !permissions.is_empty() {
        text += "  req_permissions:\n";
    }
    for (name, reason) in permissions {
        let _ = write!(text, "    - name: {name}\n      reason: {reason}\n");
    }
    let _ = writeln!(text, "  egress:\n    - api-{number:03}.example.com");
    if random.percent(4) {
        text += "    - metrics.ads.example.com\n";
    }
    let class = ["public", "internal", "confidential", "restricted"][random.weighted(&[20, 50, 20, 10])];
    let _ = writeln!(text, "  data:\n    classification: {class}");
    text += ["", "    regions: [eu, us]\n", "    regions: [eu]\n"][random.weighted(&[50, 45, 5])];
    text += &dependencies(shape, number, random);
    if in_add_ons(shape.programs).contains(&number) && number % 40 == 5 {
        let _ = writeln!(text, "  conflicts: [{}]", app_id(number + 8));
    }
    text += "  update_policy:\n    mode: background\n  package:\n    path: app\n    max_bytes: 200000\n";
    // Libraries have no settings; of the others every third has.
    if (number % 3 == 2 || has_template(number)) && !libraries(shape.programs).contains(&number) {
        text += "  ext_schema:\n    type: object\n    additionalProperties: false\n    properties:\n      page_size:\n        type: integer\n        minimum: 5\n        maximum: 200\n      greeting:\n        type: string\n        maxLength: 200\n      support_email:\n        type: string\n        pattern: \"^[^@ ]+@[^@ ]+$\"\n      features:\n        type: array\n        items:\n          enum: [search, export, comments, mentions]\n";
        let greeting = match number % 9 {
            5 => "Welcome to {{ tenant.branding.name }}",
            _ => "Welcome",
        };
        let _ =
            write!(text, "  ext:\n    page_size: 20\n    greeting: \"{greeting}\"\n    features: [search, export]\n");
    }
    if has_template(number) {
        text += "  templates:\n    - src: templates/tenant.json.j2\n      path: tenant.json\n";
    }
    text
}

/// Every fifth program needs a library, and some libraries need one that comes after them.
fn dependencies(shape: &Shape, number: usize, random: &mut Random) -> String {
    let libraries = libraries(shape.programs);
    let needed = match libraries.contains(&number) {
        true if random.percent(20) && number + 1 < libraries.end => {
            Some(number + 1 + random.below(libraries.end - number - 1))
        }
        false if number % 5 == 3 => Some(libraries.start + random.below(libraries.len())),
        _ => None,
    };
    match needed {
        Some(library) => format!("  dependencies:\n    - app_id: {}\n      range: \">=1.2\"\n", app_id(library)),
        None => String::new(),
    }
}

/// Four small files, 2 to 20 KB together, about as compressible as real ones.
fn package(folder: &str, number: usize, random: &mut Random, files: &mut Vec<(String, String)>) {
    let script = 800 + random.below(12_000);
    let style = 300 + random.below(3_000);
    let page = 500 + random.below(3_500);
    files.push((format!("{folder}/app/css/app.css"), words(random, style, ".{a}-{b} { margin: {n}px; }\n")));
    files.push((
        format!("{folder}/app/icon.svg"),
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 48 48\"><circle cx=\"24\" cy=\"24\" r=\"{}\"/></svg>\n",
            8 + number % 16
        ),
    ));
    files.push((
        format!("{folder}/app/index.html"),
        words(random, page, "<p class=\"{a}\" id=\"{b}{n}\">{b} {a}</p>\n"),
    ));
    files.push((
        format!("{folder}/app/js/app.js"),
        words(random, script, "export function {a}{n}({b}) { return {b}.{a}({n}); }\n"),
    ));
}

fn words(random: &mut Random, bytes: usize, line: &str) -> String {
    let mut text = String::with_capacity(bytes + 100);
    while text.len() < bytes {
        let number = random.below(1_000).to_string();
        let line = line.replace("{a}", random.pick::<&str>(&WORDS)).replace("{b}", random.pick::<&str>(&WORDS));
        text += &line.replace("{n}", &number);
    }
    text
}
