//! A project as large as wished, skewed as a real vendor's: half of all customers have the smallest plan, a few
//! add-ons sell and most do not, one customer in ten is under a compliance profile, few have exceptions.
//!
//! The same [`Shape`] gives the same bytes everywhere. The project is clean: the compiler has nothing to say about it.
//! Benches, examples and tests include this file by `#[path]`.

use std::fmt::Write as _;

use catalog::{ADD_ONS, CONFIGURABLE, PINNABLE, PLANS, PROFILES};
use random::Random;

mod catalog;
mod random;

/// Fewest programs: below it plans and add-ons would be empty.
pub(crate) const FEWEST_PROGRAMS: usize = 100;

/// How large a project is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Customers.
    pub(crate) tenants: usize,
    /// Mini-programs, at least [`FEWEST_PROGRAMS`]; each has one to three versions.
    pub(crate) programs: usize,
    /// Another seed, another project.
    pub(crate) seed: u64,
}

/// Every file of the project with its path, the catalogue first. Tenants are made one by one, as they are asked for.
pub(crate) fn files(shape: &Shape) -> impl Iterator<Item = (String, String)> {
    assert!(shape.programs >= FEWEST_PROGRAMS, "a project has at least {FEWEST_PROGRAMS} programs");
    let shape = *shape;
    catalog::files(&shape).into_iter().chain((0..shape.tenants).map(move |number| tenant(&shape, number)))
}

const FIRST: [&str; 16] = [
    "alder", "baltic", "cedar", "delta", "ember", "fjord", "garnet", "harbour", "iris", "juniper", "kestrel", "lumen",
    "maple", "north", "opal", "prairie",
];
const SECOND: [&str; 16] = [
    "bakery",
    "bank",
    "clinic",
    "college",
    "dairy",
    "energy",
    "ferries",
    "foods",
    "hotels",
    "insurance",
    "logistics",
    "motors",
    "press",
    "railways",
    "textiles",
    "works",
];
const COUNTRIES: [&str; 8] = ["at", "de", "ee", "es", "fr", "gb", "jp", "us"];

/// Path and text of one tenant.
pub(crate) fn tenant(shape: &Shape, number: usize) -> (String, String) {
    let mut random = Random::new(shape.seed, "tenant", number);
    let (first, second) = (*random.pick(&FIRST), *random.pick(&SECOND));
    let name = format!("{first}-{second}-{number:06}");
    let folder = random.below(256);
    let plan = random.weighted(&[50, 25, 12, 8, 4, 1]);
    let mut text = String::with_capacity(1200);
    let it = &mut text;
    *it += "# yaml-language-server: $schema=../../schemas/tenant.schema.json\n";
    let _ =
        write!(it, "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata:\n  name: {name}\n  title: {first} {second}\n");
    let ring = ["late", "middle", "early"][random.weighted(&[60, 30, 10])];
    let country = random.pick(&COUNTRIES);
    let _ = write!(
        it,
        "  labels:\n    ring: {ring}\n    sector: {second}\n    country: {country}\n  owner: customer-success\n"
    );
    // The number makes it unique; the rest makes it look like the opaque name that it is.
    let _ = write!(it, "spec:\n  tenant_id: t_{:06x}{number:06}\n  plan: {}\n", random.below(1 << 24), PLANS[plan]);
    let add_ons = add_ons(plan, &mut random);
    if !add_ons.is_empty() {
        let _ = writeln!(it, "  add_ons: [{}]", add_ons.join(", "));
    }
    if random.percent(10) {
        let profile = PROFILES[random.weighted(&[40, 25, 10, 15, 10])];
        let _ = writeln!(it, "  compliance_profile: {profile}");
    }
    let (year, month) = (2027 + random.below(6), 1 + random.below(12));
    let _ = write!(
        it,
        "  license:\n    valid_from: \"{}-{month:02}-01\"\n    valid_until: \"{year}-{month:02}-01\"\n",
        2021 + random.below(5)
    );
    let strategy = ["restrict", "revoke", "maintain"][random.weighted(&[80, 15, 5])];
    let _ = write!(
        it,
        "    expiration_strategy: {strategy}\n    grace: P30D\n    seats: {}\n",
        5 + random.below(1 << (4 + plan)) * 7
    );
    if random.percent(8) {
        *it += "  data_region: eu\n";
    }
    if random.percent(20) {
        *it += "  shells: [ios-shell, android-shell]\n";
    }
    if random.percent(4) {
        *it += "  channel: beta\n";
    }
    let _ = writeln!(it, "  domains: [{name}.example]");
    branding(it, &name, &format!("{first} {second}"), &mut random);
    if random.percent(15) {
        let page_size = 10 + random.below(90);
        for program in CONFIGURABLE {
            let app_id = catalog::app_id(program);
            let _ = write!(
                it,
                "  ext:\n    {app_id}:\n      page_size: {page_size}\n      support_email: help@{name}.example\n"
            );
        }
    }
    if random.percent(3) {
        let code = random.pick(&[10, 20]);
        let _ = write!(it, "  pins:\n    - app_id: {}\n      code: {code}\n", catalog::app_id(PINNABLE));
    }
    if random.percent(5) {
        exception(it, shape, &mut random);
    }
    (format!("tenants/{folder:02x}/{name}.yaml"), text)
}

/// None to four, the first ones far more often than the last.
fn add_ons(plan: usize, random: &mut Random) -> Vec<String> {
    let weights: Vec<usize> = (0..ADD_ONS).map(|at| 1_000 / (at + 1)).collect();
    let large = !matches!(PLANS[plan], "starter" | "legacy");
    let mut chosen: Vec<usize> = Vec::new();
    for _ in 0..random.weighted(&[35, 30, 20, 10, 5]) {
        let add_on = random.weighted(&weights);
        if !chosen.contains(&add_on) && (large || catalog::is_for_everybody(add_on)) {
            chosen.push(add_on);
        }
    }
    chosen.into_iter().map(catalog::add_on).collect()
}

fn branding(text: &mut String, name: &str, title: &str, random: &mut Random) {
    let color = random.below(1 << 24);
    let _ = write!(
        text,
        "  branding:\n    name: {title}\n    color_scheme: auto\n    icons:\n      - src: https://static.example.com/{name}/icon-192.png\n        sizes: \"192x192\"\n"
    );
    let _ = write!(
        text,
        "    window:\n      navigation_bar_background_color: \"#{color:06x}\"\n      navigation_bar_text_style: white\n"
    );
}

/// Mostly something given, sometimes something taken away.
fn exception(text: &mut String, shape: &Shape, random: &mut Random) {
    let by_exception = catalog::by_exception(shape.programs);
    let (word, program) = match random.percent(80) {
        true => ("grant", by_exception.start + random.below(by_exception.len())),
        false => ("revoke", 0),
    };
    let _ = write!(
        text,
        "  overrides:\n    - {word}: {}\n      reason: Agreed with the customer.\n",
        catalog::app_id(program)
    );
    let _ = write!(
        text,
        "      ticket: CS-{}\n      approved_by: sales-lead\n      expires: \"2035-07-01\"\n",
        random.below(100_000)
    );
}
