//! The `resolve` stage against docs/decisions.md: word for word on generated worlds, and by name on those we care about.

#[path = "decisions/builder.rs"]
mod builder;
#[path = "decisions/generate.rs"]
mod generate;
#[path = "decisions/naive.rs"]
mod naive;
#[path = "decisions/situations.rs"]
mod situations;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert, prop_assert_eq, proptest};
use tenantry::model::{Catalog, ProgramId};
use tenantry::resolve::{Exclusion, Included, Resolution, Standing};

use crate::builder::World;
use crate::naive::Answer;

/// How many numbers decide a world; later ones are zeros.
const NUMBERS: usize = 500;

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_stage_and_the_naive_evaluator_agree(numbers in proptest::collection::vec(any::<u16>(), NUMBERS)) {
        let world = generate::world(&numbers);
        let naive = |percent| naive::evaluate(&world.project, &world.catalog, &world.tenant, world.now, percent);
        let resolution = world.resolve();
        prop_assert_eq!(answers(&world, &resolution), naive(100));
        // Every device has one line-up, wherever it stands; why it has no other is told of the last ones only.
        for percent in [1, 10, 11, 20, 21, 50, 51, 80, 81, 99] {
            let of_devices = resolution.cohorts.iter().find(|it| it.percent >= percent);
            let theirs = of_devices.map_or(&resolution, |it| &it.line_up);
            prop_assert_eq!(offers(answers(&world, theirs)), offers(naive(percent)), "{} %", percent);
        }
    }

    #[test]
    fn a_device_that_has_a_version_keeps_it_while_its_rollout_goes_on(numbers in proptest::collection::vec(any::<u16>(), NUMBERS)) {
        // Nothing else happens: one version, no profile, and days go by.
        let mut world = World::new(&["com.example.a"]);
        world.release("com.example.a", "1.0.0");
        generate::rolling_out(&mut world, &numbers);
        world.plan_grants(tenantry::model::PlanId(0), "com.example.a", "");
        let mut reached = 0;
        for day in 88..106 {
            let resolution = world.resolve_at(builder::day(day));
            let id = world.id("com.example.a");
            let has = |it: &Resolution| matches!(it.standing(id), Standing::In(_));
            let now = match has(&resolution) {
                true => 100,
                false => resolution.cohorts.iter().filter(|it| has(&it.line_up)).map(|it| it.percent).max().unwrap_or(0),
            };
            prop_assert!(now >= reached, "{reached} % on the day before, {now} % on day {day}");
            reached = now;
        }
    }

    #[test]
    fn decisions_have_reasons_and_stand_on_their_own(numbers in proptest::collection::vec(any::<u16>(), NUMBERS)) {
        let world = generate::world(&numbers);
        let resolution = world.resolve();

        for it in &resolution.included {
            prop_assert!(!it.because().is_empty() && !it.releases.is_empty());
            for shell in 0..20 {
                prop_assert!(at_level(it, shell).count() <= 1, "level {shell} takes two versions: {:?}", it.releases);
            }
            for chosen in &it.releases {
                let version = chosen.of(&world.catalog, it.program);
                prop_assert!(version.min_code <= chosen.platform.min_code);
                prop_assert!(version.max_code.is_none_or(|max| chosen.platform.max_code.is_some_and(|it| it <= max)));
            }
        }

        // Whatever was decided can be said, and every reason has a place.
        let sources = world.sources();
        for program in &world.catalog.programs {
            let explanation = world.explainer(&resolution, &sources).program(world.id(&program.app_id));
            let facts = explanation.why.iter().chain(&explanation.because).chain(&explanation.offers);
            let facts: Vec<_> = facts.chain(explanation.passed_over.iter().flat_map(|it| &it.why)).collect();
            let text = explanation.to_string();
            prop_assert!(!facts.is_empty());
            prop_assert!(facts.iter().all(|it| text.contains(&it.text) && text.contains(&it.place)), "{text}");
            prop_assert!(!text.contains("``") && !text.contains("  "), "{text}");
        }

        // Between now and the next change nothing changes.
        let changes = resolution.next_change.unwrap_or(builder::day(200));
        prop_assert!(changes > world.now);
        for second in [1, 86_399, 86_400, 2 * 86_400, 3 * 86_400 + 1, changes.unix() - world.now.unix() - 1] {
            let later = world.now.plus(tenantry::time::Duration::parse(&format!("PT{second}S")).expect("seconds"));
            if later < changes {
                let now = Resolution { next_change: None, ..resolution.clone() };
                prop_assert_eq!(Resolution { next_change: None, ..world.resolve_at(later) }, now);
            }
        }
    }

    #[test]
    fn what_does_not_concern_a_tenant_changes_nothing(numbers in proptest::collection::vec(any::<u16>(), NUMBERS)) {
        let world = generate::world(&numbers);
        let mut wider = generate::world(&numbers);
        let id = ProgramId(u32::try_from(wider.catalog.programs.len()).expect("few programs"));
        wider.catalog.programs.push(tenantry::model::Program { app_id: "com.example.z".into(), releases: Vec::new() });
        wider.catalog.dependants_first.insert(0, id);
        wider.release("com.example.z", "1.0.0");
        wider.depends("com.example.z", "com.example.a", "");
        wider.conflicts("com.example.z", "com.example.b");
        let plan = wider.plan("unlimited", None);
        wider.plan_grants(plan, "com.example.z", "");
        prop_assert_eq!(wider.resolve(), world.resolve());

        let mut turned = generate::world(&numbers);
        turned.tenant.overrides.reverse();
        turned.tenant.add_ons.reverse();
        turned.tenant.pins.reverse();
        prop_assert_eq!(answers(&turned, &turned.resolve()), answers(&world, &world.resolve()));
        prop_assert_eq!(turned.resolve().next_change, world.resolve().next_change);
    }
}

/// What devices get, but for why they get nothing else.
fn offers(answers: BTreeMap<String, Answer>) -> BTreeMap<String, (tenantry::time::Window, BTreeMap<u32, u32>)> {
    let offer = |(app_id, answer)| match answer {
        Answer::In { window, versions, .. } => Some((app_id, (window, versions))),
        Answer::Out(_) => None,
    };
    answers.into_iter().filter_map(offer).collect()
}

/// 2,000 unless `PROPTEST_CASES` says otherwise.
fn cases() -> u32 {
    match ProptestConfig::default().cases {
        256 => 2_000,
        asked => asked,
    }
}

/// A resolution in the naive evaluator's words.
fn answers(world: &World, resolution: &Resolution) -> BTreeMap<String, Answer> {
    let programs = world.catalog.programs.iter();
    programs
        .map(|program| {
            let answer = match resolution.standing(world.id(&program.app_id)) {
                Standing::NotEntitled => Answer::Out("not_entitled".to_owned()),
                Standing::Out(it) => Answer::Out(words(&world.catalog, &it.why)),
                Standing::In(it) => Answer::In {
                    window: it.window,
                    versions: versions(world, it),
                    passed_over: it
                        .passed_over
                        .iter()
                        .map(|(at, why)| (program.releases[*at].code, words(&world.catalog, why)))
                        .collect(),
                },
            };
            (program.app_id.to_string(), answer)
        })
        .collect()
}

fn versions(world: &World, included: &Included) -> BTreeMap<u32, u32> {
    let shells = world.tenant.shells.iter().flat_map(|it| &world.catalog.shells[it.at()].platform_codes);
    shells
        .filter_map(|level| {
            let at = at_level(included, *level).next()?;
            Some((*level, world.catalog.program(included.program).releases[at].code))
        })
        .collect()
}

fn at_level(included: &Included, level: u32) -> impl Iterator<Item = usize> {
    let taken = included
        .releases
        .iter()
        .filter(move |it| it.platform.min_code <= level && it.platform.max_code.is_none_or(|max| level <= max));
    taken.map(|it| it.release)
}

fn words(catalog: &Catalog, why: &Exclusion) -> String {
    let name = |id: &ProgramId| &catalog.program(*id).app_id;
    match why {
        Exclusion::Compliance(it) => {
            let rule = it.rule.key().trim_end_matches(".deny").trim_end_matches(".allow");
            format!("compliance {} {rule}", catalog.profiles[it.profile.at()].name)
        }
        Exclusion::Dependency { program, why: inner, .. } | Exclusion::DependencyEnded { program, why: inner, .. } => {
            format!("{} {}: {}", why.kind(), name(program), words(catalog, inner))
        }
        Exclusion::Frozen { profile, .. } => format!("frozen {}", catalog.profiles[profile.at()].name),
        Exclusion::Held { by, .. } => format!("held {}", name(by)),
        other => other.kind().to_owned(),
    }
}

/// The agreement above is worth as much as the worlds that it is tested on.
#[test]
fn generated_worlds_meet_every_reason() {
    let mut met: BTreeSet<String> = BTreeSet::new();
    let mut state = 1_u64;
    for _ in 0..2_000 {
        let numbers: Vec<u16> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u16::from_be_bytes([state.to_be_bytes()[0], state.to_be_bytes()[1]])
        })
        .take(NUMBERS)
        .collect();
        let world = generate::world(&numbers);
        met.extend(world.resolve().cohorts.iter().map(|_| "cohorts".to_owned()));
        for answer in answers(&world, &world.resolve()).into_values() {
            match answer {
                Answer::Out(why) => met.extend(why.split([' ', ':']).map(str::to_owned)),
                Answer::In { window, versions, passed_over } => {
                    let count = versions.values().collect::<BTreeSet<_>>().len();
                    met.insert(format!("{count} versions, active: {}", window.contains(world.now)));
                    met.extend(
                        passed_over
                            .into_values()
                            .map(|it| format!("passed over: {}", it.split(' ').next().unwrap_or(""))),
                    );
                }
            }
        }
    }
    let expected = "tenant_status revoked licence_ended review compliance data_region licence_restricted granted pin channel \
        platform dependency no_version dependency_clash conflict dependency_ended not_entitled mini_programs permissions egress \
        data.max_classification data.regions review.min_status review.min_soak update.pin_required version_revoked rollout percentage frozen cohorts";
    let shapes =
        ["1 versions, active: true", "2 versions, active: true", "2 versions, active: false", "passed over: held"];
    let missing: Vec<&str> = expected.split_whitespace().chain(shapes).filter(|it| !met.contains(*it)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
