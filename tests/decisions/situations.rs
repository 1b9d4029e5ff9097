//! Decisions that we care about by name, as the compiler would say them.

use std::collections::BTreeMap;

use tenantry::input::{Entitlement, ExpirationStrategy, ReviewStatus, RevokeMode, TenantStatus, Unlimited};
use tenantry::model::PlanId;
use tenantry::resolve::{Chosen, PlatformRange, ReasonKind, Standing, StoppedBy};
use tenantry::time::{Duration, Window};

use crate::builder::{World, day};

const BASIC: PlanId = PlanId(0);

/// One program, `com.example.chat` 1.0.0, granted by the plan.
fn chat() -> World {
    let mut world = World::new(&["com.example.chat"]);
    world.release("com.example.chat", "1.0.0");
    world.plan_grants(BASIC, "com.example.chat", "");
    world
}

#[test]
fn a_plan_gives_what_it_contains() {
    assert_eq!(
        chat().explain("com.example.chat"),
        "com.example.chat 1.0.0 is in: plan `basic` contains it (catalog/plans/basic.yaml:2)"
    );
}

#[test]
fn a_profile_takes_away_what_the_plan_granted() {
    let mut world = chat();
    world.permission("com.example.chat", "contacts.read");
    let profile = world.profile("eu-banking");
    let pattern = world.pattern("contacts.*", "catalog/compliance/eu-banking.yaml");
    world.under(profile).0.permissions.deny.push(pattern);
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat is out: profile `eu-banking` denies permission `contacts.read` \
         (catalog/compliance/eu-banking.yaml:2); plan `basic` contains it (catalog/plans/basic.yaml:2)"
    );
}

#[test]
fn an_override_cannot_give_what_the_profile_denies() {
    let mut world = chat();
    world.grants("com.example.chat", "", day(110));
    let profile = world.profile("eu-banking");
    let pattern = world.pattern("*.chat", "catalog/compliance/eu-banking.yaml");
    world.under(profile).0.mini_programs.deny.push(pattern);
    assert!(world.explain("com.example.chat").starts_with(
        "com.example.chat is out: profile `eu-banking` denies program `com.example.chat` (catalog/compliance/eu-banking.yaml:2)"
    ));
}

#[test]
fn a_newer_version_under_review_leaves_the_older_one_in() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0").status = ReviewStatus::Audit;
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 is in: plan `basic` contains it (catalog/plans/basic.yaml:2); 2.0.0 is passed over: \
         review status is `audit`, only `approved` and `online` versions ship (catalog/programs/com.example.chat.yaml:2)"
    );
}

#[test]
fn a_version_comes_when_its_soak_is_over_and_the_resolution_knows_when() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0").since = Some(day(97));
    let profile = world.profile("eu-banking");
    let (rules, span) = world.under(profile);
    rules.min_soak = Some((Duration::days(7), span));
    assert_eq!(world.resolve().next_change, Some(day(104)));
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 is in: plan `basic` contains it (catalog/plans/basic.yaml:2); 2.0.0 is passed over: profile \
         `eu-banking` asks for P7D in review status, which the version has on 2026-04-15T00:00:00Z \
         (catalog/compliance/eu-banking.yaml:2)"
    );
    world.now = day(104);
    assert!(world.explain("com.example.chat").starts_with("com.example.chat 2.0.0 is in"));
}

#[test]
fn a_freeze_window_holds_what_was_reviewed_inside_it_and_lets_go_at_its_end() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0").since = Some(day(95));
    let profile = world.profile("eu-banking");
    let (rules, span) = world.under(profile);
    rules.freeze_windows.push((Window { from: Some(day(95)), until: Some(day(101)) }, span));
    assert!(world.explain("com.example.chat").contains(
        "2.0.0 is passed over: profile `eu-banking` lets nothing new in until 2026-04-12T00:00:00Z (catalog/compliance/eu-banking.yaml:2)"
    ));
    assert_eq!(world.resolve().next_change, Some(day(101)));
    world.now = day(101);
    assert!(world.explain("com.example.chat").starts_with("com.example.chat 2.0.0 is in"));
}

#[test]
fn a_freeze_window_keeps_the_version_of_its_beginning_whatever_ends_or_begins_meanwhile() {
    let with = |change: &dyn Fn(&mut World)| {
        let mut world = chat();
        world.release("com.example.chat", "2.0.0").since = Some(day(80));
        let profile = world.profile("eu-banking");
        let (rules, span) = world.under(profile);
        // Two windows that touch are one, and one of them is also in the middle of the other.
        let windows = [(95, 98), (98, 103), (99, 101)];
        rules
            .freeze_windows
            .extend(windows.map(|(from, until)| (Window { from: Some(day(from)), until: Some(day(until)) }, span)));
        change(&mut world);
        let code = |at: i64| {
            let resolution = world.resolve_at(day(at));
            let newest = resolution.included[0].releases[0].release + 1;
            (resolution.cohorts.iter().map(|it| it.percent).collect::<Vec<u32>>(), newest)
        };
        [94, 95, 97, 98, 100, 102, 103].map(code)
    };
    let (old, new) = ((vec![], 1), (vec![], 2));
    let held = [old.clone(), old.clone(), old.clone(), old.clone(), old.clone(), old, new.clone()];
    assert_eq!(with(&|_| ()), [(); 7].map(|()| new.clone()), "what was there before stays");
    let soak = |days: u32| {
        move |world: &mut World| {
            let span = world.line("catalog/compliance/eu-banking.yaml");
            world.catalog.profiles[0].min_soak = Some((Duration::days(days), span));
        }
    };
    assert_eq!(with(&soak(15)), held, "its soak ends at the beginning of the first window");
    assert_eq!(with(&soak(19)), held, "its soak ends inside");
    assert_eq!(
        with(&|world| world.rolls_out("com.example.chat", &[(97, &[], 100)])),
        held,
        "its rollout begins inside"
    );
    assert_eq!(
        with(&|world| world.rolls_out("com.example.chat", &[(90, &[], 20), (97, &[], 50), (99, &[], 100)])),
        [(vec![20], 1), (vec![20], 1), (vec![20], 1), (vec![20], 1), (vec![20], 1), (vec![20], 1), new],
        "its share does not grow inside"
    );
}

#[test]
fn a_revoked_version_goes_from_everybody_and_the_older_one_comes_back() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0");
    world.stops("com.example.chat", RevokeMode::Block);
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 is in: plan `basic` contains it (catalog/plans/basic.yaml:2); 2.0.0 is passed over: version 2.0.0 \
         is revoked: It sends mails twice (catalog/programs/com.example.chat.yaml:3)"
    );
    let stopped = world.resolve().stopped;
    let told: Vec<_> = stopped.iter().map(|it| (it.release, it.mode, it.by)).collect();
    assert_eq!(told, [(1, RevokeMode::Block, StoppedBy::Version)]);
}

#[test]
fn a_revocation_is_told_to_whoever_may_have_the_program_and_to_nobody_else() {
    let mut world = World::new(&["com.example.chat", "com.example.contacts", "com.example.vault"]);
    for app_id in ["com.example.chat", "com.example.contacts", "com.example.vault"] {
        world.release(app_id, "1.0.0");
    }
    world.stops("com.example.contacts", RevokeMode::Drain);
    world.stops("com.example.vault", RevokeMode::Block);
    world.depends("com.example.chat", "com.example.contacts", "");
    world.plan_grants(BASIC, "com.example.chat", "");
    let stopped = world.resolve().stopped;
    let told: Vec<_> = stopped.iter().map(|it| (it.program, it.mode)).collect();
    assert_eq!(told, [(world.id("com.example.contacts"), RevokeMode::Drain)], "the vault is nothing to them");
}

#[test]
fn a_freeze_window_lets_a_revocation_through() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0");
    let profile = world.profile("eu-banking");
    let (rules, span) = world.under(profile);
    rules.freeze_windows.push((Window { from: Some(day(95)), until: Some(day(110)) }, span));
    assert_eq!(world.resolve().included[0].releases[0].release, 1);
    world.stops("com.example.chat", RevokeMode::Block);
    assert_eq!(world.resolve().included[0].releases[0].release, 0, "the older version had come before the window");
    assert_eq!(world.resolve().stopped.len(), 1);
}

#[test]
fn a_version_waits_for_its_ring_and_the_resolution_knows_when_it_comes() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0");
    world.rolls_out("com.example.chat", &[(95, &[("ring", "early")], 100), (103, &[("ring", "main")], 100)]);
    let explained = |ring: &str, world: &mut World| {
        world.tenant.labels = BTreeMap::from([("ring".to_owned(), ring.to_owned())]);
        (world.explain("com.example.chat"), world.resolve().next_change)
    };
    let (early, never) = explained("early", &mut world);
    assert!(early.starts_with("com.example.chat 2.0.0 is in"));
    assert_eq!(never, None);
    let waits =
        "com.example.chat 1.0.0 is in: plan `basic` contains it (catalog/plans/basic.yaml:2); 2.0.0 is passed over: ";
    assert_eq!(
        explained("main", &mut world),
        (
            format!(
                "{waits}the rollout of version 2.0.0 comes to tenant `acme` on 2026-04-14T00:00:00Z \
                 (catalog/programs/com.example.chat.yaml:5)"
            ),
            Some(day(103))
        )
    );
    assert_eq!(
        explained("late", &mut world),
        (
            format!(
                "{waits}no step of the rollout of version 2.0.0 selects tenant `acme` \
                 (catalog/programs/com.example.chat.yaml:3)"
            ),
            None
        )
    );
}

#[test]
fn a_share_of_the_devices_has_a_line_up_of_its_own_and_others_are_told_why_not() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0");
    world.rolls_out("com.example.chat", &[(95, &[], 20), (105, &[], 100)]);
    let resolution = world.resolve();
    assert_eq!(resolution.next_change, Some(day(105)));
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 is in: plan `basic` contains it (catalog/plans/basic.yaml:2); 2.0.0 is passed over: the rollout of \
         version 2.0.0 has come to 20 % of the devices of tenant `acme` (catalog/programs/com.example.chat.yaml:4)"
    );
    let [cohort] = &resolution.cohorts[..] else { panic!("one share: {:?}", resolution.cohorts) };
    assert_eq!((cohort.percent, cohort.line_up.included[0].releases[0].release), (20, 1));
    assert!(world.resolve_at(day(105)).cohorts.is_empty());
}

#[test]
fn what_needs_a_version_that_some_devices_have_comes_to_these_and_to_no_others() {
    let mut world = World::new(&["com.example.chat", "com.example.contacts"]);
    world.release("com.example.contacts", "1.0.0");
    world.release("com.example.contacts", "2.0.0");
    world.rolls_out("com.example.contacts", &[(95, &[], 20)]);
    world.release("com.example.chat", "1.0.0");
    world.depends("com.example.chat", "com.example.contacts", "^2");
    world.plan_grants(BASIC, "com.example.chat", "");
    let resolution = world.resolve();
    assert_eq!(resolution.included, [], "the others have not the contacts that it needs");
    assert_eq!(resolution.cohorts.len(), 1);
    let programs: Vec<_> = resolution.cohorts[0].line_up.included.iter().map(|it| it.program).collect();
    assert_eq!(programs, [world.id("com.example.chat"), world.id("com.example.contacts")]);
}

#[test]
fn a_revoked_program_is_compiled_ahead_and_comes_back_by_itself() {
    let mut world = chat();
    world.revokes("com.example.chat", day(110));
    assert_eq!(world.resolve().included[0].window, Window { from: Some(day(110)), until: None });
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 comes on 2026-04-21T00:00:00Z: an override of tenant `acme` takes it away until then \
         (tenants/acme.yaml:2); plan `basic` contains it (catalog/plans/basic.yaml:2)"
    );
}

#[test]
fn a_grant_that_ends_before_the_revocation_does_leaves_nothing() {
    let mut world = World::new(&["com.example.chat"]);
    world.release("com.example.chat", "1.0.0");
    world.grants("com.example.chat", "", day(105));
    world.revokes("com.example.chat", day(105));
    assert!(world.explain("com.example.chat").starts_with(
        "com.example.chat is out: an override of tenant `acme` takes it away until 2026-04-16T00:00:00Z (tenants/acme.yaml:3)"
    ));
}

#[test]
fn an_expired_override_does_nothing_from_its_very_instant() {
    let mut world = World::new(&["com.example.chat"]);
    world.release("com.example.chat", "1.0.0");
    world.grants("com.example.chat", "", day(101));
    assert!(matches!(world.resolve().standing(world.id("com.example.chat")), Standing::In(_)));
    assert_eq!(world.resolve_at(day(101)).standing(world.id("com.example.chat")), Standing::NotEntitled);
}

#[test]
fn a_dependency_comes_along_is_preloaded_with_its_dependant_and_ends_with_it() {
    let mut world = World::new(&["com.example.chat", "com.example.contacts"]);
    world.release("com.example.contacts", "1.0.0");
    world.release("com.example.chat", "1.0.0");
    world.depends("com.example.chat", "com.example.contacts", "^1");
    world.grants("com.example.chat", "", day(110));
    let resolution = world.resolve();
    let contacts = &resolution.included[1];
    assert!(contacts.preload);
    assert_eq!(contacts.because()[0].kind, ReasonKind::RequiredBy { program: world.id("com.example.chat") });
    assert_eq!(
        world.explain("com.example.contacts"),
        "com.example.contacts 1.0.0 is in: program `com.example.chat` needs it (catalog/programs/com.example.chat.yaml:2); it \
         goes on 2026-04-21T00:00:00Z: program `com.example.chat`, which needs it, goes then: the override of tenant `acme` \
         ends then (tenants/acme.yaml:2)"
    );
}

#[test]
fn a_dependency_that_cannot_ship_takes_its_dependants_with_it_and_says_so() {
    let mut world = World::new(&["com.example.chat", "com.example.contacts", "com.example.storage"]);
    world.release("com.example.storage", "1.0.0").status = ReviewStatus::Deprecated;
    world.release("com.example.contacts", "1.0.0");
    world.depends("com.example.contacts", "com.example.storage", "");
    world.release("com.example.chat", "1.0.0");
    world.depends("com.example.chat", "com.example.contacts", "^1");
    world.plan_grants(BASIC, "com.example.chat", "");
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat is out: it needs `com.example.contacts` (catalog/programs/com.example.chat.yaml:2), and program \
         `com.example.contacts` needs `com.example.storage` (catalog/programs/com.example.contacts.yaml:2), and review status \
         of `com.example.storage` 1.0.0 is `deprecated`, only `approved` and `online` versions ship \
         (catalog/programs/com.example.storage.yaml:1); plan `basic` contains it (catalog/plans/basic.yaml:2)"
    );
}

#[test]
fn a_dependency_that_comes_after_its_dependants_end_takes_it_out() {
    let mut world = World::new(&["com.example.chat", "com.example.contacts"]);
    world.release("com.example.contacts", "1.0.0");
    world.release("com.example.chat", "1.0.0");
    world.depends("com.example.chat", "com.example.contacts", "");
    world.plan_grants(BASIC, "com.example.contacts", "");
    world.grants("com.example.chat", "", day(105));
    world.revokes("com.example.contacts", day(110));
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat is out: it needs `com.example.contacts` (catalog/programs/com.example.chat.yaml:2), and an override \
         of tenant `acme` takes program `com.example.contacts` away until 2026-04-21T00:00:00Z (tenants/acme.yaml:3); an \
         override of tenant `acme` grants it until 2026-04-16T00:00:00Z (tenants/acme.yaml:2)"
    );
}

#[test]
fn a_dependency_whose_only_dependant_went_out_is_not_left_behind() {
    let mut world = World::new(&["com.example.chat", "com.example.contacts", "com.example.storage"]);
    world.release("com.example.contacts", "1.0.0");
    world.release("com.example.storage", "1.0.0");
    world.release("com.example.chat", "1.0.0");
    world.depends("com.example.chat", "com.example.contacts", "");
    world.depends("com.example.chat", "com.example.storage", "");
    world.grants("com.example.chat", "", day(105));
    world.revokes("com.example.contacts", day(110));
    assert_eq!(world.resolve().included, []);
    assert_eq!(world.resolve().standing(world.id("com.example.storage")), Standing::NotEntitled);
}

#[test]
fn of_two_that_cannot_stand_together_the_weaker_falls() {
    let mut world = World::new(&["com.example.chat", "com.example.mail"]);
    world.release("com.example.chat", "1.0.0");
    world.conflicts("com.example.chat", "com.example.mail");
    world.release("com.example.mail", "1.0.0");
    world.plan_grants(BASIC, "com.example.chat", "");
    let add_on = world.add_on("mail");
    world.add_on_grants(add_on, "com.example.mail", "");
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat is out: it cannot stand beside program `com.example.mail`, which goes first \
         (catalog/programs/com.example.chat.yaml:2); plan `basic` contains it (catalog/plans/basic.yaml:2)"
    );
    assert!(world.explain("com.example.mail").starts_with("com.example.mail 1.0.0 is in: add-on `mail` contains it"));
}

#[test]
fn of_two_that_need_different_versions_the_weaker_falls() {
    let mut world = World::new(&["com.example.chat", "com.example.mail", "com.example.storage"]);
    world.release("com.example.storage", "1.0.0");
    world.release("com.example.storage", "2.0.0");
    world.release("com.example.chat", "1.0.0");
    world.depends("com.example.chat", "com.example.storage", "^1");
    world.release("com.example.mail", "1.0.0");
    world.depends("com.example.mail", "com.example.storage", "^2");
    world.plan_grants(BASIC, "com.example.mail", "");
    world.plan_grants(BASIC, "com.example.chat", "");
    assert!(world.explain("com.example.mail").starts_with(
        "com.example.mail is out: it and program `com.example.chat`, which goes first, need different versions of \
         `com.example.storage` (catalog/programs/com.example.mail.yaml:2)"
    ));
    assert!(world.explain("com.example.storage").ends_with(
        "; 2.0.0 is passed over: program `com.example.chat` asks for another version (catalog/programs/com.example.chat.yaml:2)"
    ));
}

#[test]
fn each_shell_takes_the_newest_version_that_it_runs_and_never_two() {
    let mut world = chat();
    world.catalog.shells[0].platform_codes = vec![8, 10, 12, 14];
    world.newest("com.example.chat").min_code = 5;
    let newer = world.release("com.example.chat", "2.0.0");
    (newer.min_code, newer.max_code) = (11, Some(13));
    let range = |min_code, max_code| PlatformRange { min_code, target_code: 10, max_code };
    assert_eq!(
        world.resolve().included[0].releases,
        [
            Chosen { release: 1, platform: range(12, Some(13)) },
            Chosen { release: 0, platform: range(14, None) },
            Chosen { release: 0, platform: range(5, Some(11)) },
        ]
    );
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat is in: plan `basic` contains it (catalog/plans/basic.yaml:2); 2.0.0 on shells 12 to 13; 1.0.0 on \
         shells 14 and up; 1.0.0 on shells 5 to 11"
    );
}

#[test]
fn a_program_for_newer_shells_only_says_for_which() {
    let mut world = chat();
    world.catalog.shells[0].platform_codes = vec![10, 12];
    world.newest("com.example.chat").min_code = 11;
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 is in: plan `basic` contains it (catalog/plans/basic.yaml:2), on shells 12 and up"
    );
    world.newest("com.example.chat").min_code = 13;
    assert!(world.explain("com.example.chat").starts_with(
        "com.example.chat is out: version 1.0.0 asks for shells 13 and up, those of tenant `acme` are at 10, 12 "
    ));
}

#[test]
fn pre_releases_come_on_their_channel_only() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0-beta.1");
    assert!(world.explain("com.example.chat").starts_with("com.example.chat 1.0.0 is in"));
    world.tenant.channel = Some("beta".into());
    assert!(world.explain("com.example.chat").starts_with("com.example.chat 2.0.0-beta.1 is in"));
    world.tenant.channel = Some("bet".into());
    assert!(world.explain("com.example.chat").starts_with("com.example.chat 1.0.0 is in"));
}

#[test]
fn a_pin_holds_the_version_that_it_names() {
    let mut world = chat();
    world.release("com.example.chat", "2.0.0");
    world.pins("com.example.chat", 1);
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 is in: plan `basic` contains it (catalog/plans/basic.yaml:2); 2.0.0 is passed over: tenant \
         `acme` is pinned to 1.0.0 (tenants/acme.yaml:2)"
    );
}

#[test]
fn a_licence_that_has_not_begun_lets_programs_wait() {
    let mut world = chat();
    world.license(ExpirationStrategy::Restrict, Some(day(365)), None);
    assert_eq!(world.resolve().next_change, Some(day(365)));
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 comes on 2027-01-01T00:00:00Z: the licence of tenant `acme` begins then (tenants/acme.yaml:2); \
         plan `basic` contains it (catalog/plans/basic.yaml:2)"
    );
}

#[test]
fn an_ended_licence_restricts_revokes_or_does_nothing_and_grace_comes_first() {
    let decide = |strategy, grace| {
        let mut world = chat();
        world.release("com.example.chat", "2.0.0").since = Some(day(90));
        world.license(strategy, None, Some(day(90)));
        world.tenant.license.as_mut().expect("just set").grace = Duration::days(grace);
        world.explain("com.example.chat")
    };
    let plan = "plan `basic` contains it (catalog/plans/basic.yaml:2)";
    assert_eq!(decide(ExpirationStrategy::Maintain, 0), format!("com.example.chat 2.0.0 is in: {plan}"));
    assert_eq!(decide(ExpirationStrategy::Restrict, 11), format!("com.example.chat 2.0.0 is in: {plan}"));
    assert_eq!(
        decide(ExpirationStrategy::Restrict, 10),
        format!(
            "com.example.chat 1.0.0 is in: {plan}; 2.0.0 is passed over: the licence of tenant `acme` has ended, and version \
             2.0.0 was reviewed after it (tenants/acme.yaml:2)"
        )
    );
    assert_eq!(
        decide(ExpirationStrategy::Revoke, 11),
        format!(
            "com.example.chat 2.0.0 is in: {plan}; it goes on 2026-04-12T00:00:00Z: the licence of tenant `acme` is over then, \
             grace included (tenants/acme.yaml:2)"
        )
    );
    assert_eq!(
        decide(ExpirationStrategy::Revoke, 10),
        format!(
            "com.example.chat is out: the licence of tenant `acme` was over on 2026-04-11T00:00:00Z, grace included \
             (tenants/acme.yaml:2); {plan}"
        )
    );
}

#[test]
fn a_suspended_tenant_has_nothing() {
    let mut world = chat();
    world.tenant.status = TenantStatus::Suspended;
    assert_eq!(world.resolve().included, []);
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat is out: tenant `acme` is suspended (tenants/acme.yaml:1); plan `basic` contains it \
         (catalog/plans/basic.yaml:2)"
    );
}

#[test]
fn a_program_that_nothing_wants_comes_with_the_offers_that_would_give_it() {
    let mut world = World::new(&["com.example.chat"]);
    world.release("com.example.chat", "1.0.0");
    let premium = world.plan("premium", Some(BASIC));
    world.plan_grants(premium, "com.example.chat", "");
    let add_on = world.other_add_on("talk");
    world.add_on_grants(add_on, "com.example.chat", "");
    let unfit = world.other_add_on("talk-more");
    world.add_on_grants(unfit, "com.example.chat", "");
    world.catalog.add_ons[unfit.at()].requires_plans.push(premium);
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat is out: no plan, add-on or override of tenant `acme` contains it (tenants/acme.yaml:1); add-on \
         `talk` would give it (catalog/add-ons/talk.yaml:2); plan `premium` would give it (catalog/plans/premium.yaml:2)"
    );
}

#[test]
fn an_extended_plan_gives_what_it_contains() {
    let mut world = chat();
    world.tenant.plan.0 = world.plan("premium", Some(BASIC));
    assert_eq!(
        world.explain("com.example.chat"),
        "com.example.chat 1.0.0 is in: plan `premium` contains it through plan `basic` (catalog/plans/basic.yaml:2)"
    );
}

#[test]
fn the_most_generous_entitlement_wins_and_seats_are_the_licences() {
    let mut world = World::new(&[]);
    let add_on = world.add_on("more");
    let plan = &mut world.catalog.plans[0];
    let given = |list: &[(&str, Entitlement)]| list.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect();
    plan.entitlements = given(&[
        ("sso", Entitlement::Flag(false)),
        ("seats", Entitlement::Unlimited(Unlimited::Unlimited)),
        ("rooms", Entitlement::Count(3)),
        ("calls", Entitlement::Flag(true)),
        ("storage", Entitlement::Unlimited(Unlimited::Unlimited)),
    ]);
    plan.limits = BTreeMap::from([("requests".to_owned(), 7), ("exports".to_owned(), 2)]);
    let add_on = &mut world.catalog.add_ons[add_on.at()];
    add_on.entitlements = given(&[
        ("sso", Entitlement::Flag(true)),
        ("rooms", Entitlement::Count(2)),
        ("calls", Entitlement::Count(0)),
        ("storage", Entitlement::Count(9)),
    ]);
    add_on.limits = BTreeMap::from([("requests".to_owned(), 5), ("exports".to_owned(), 3)]);
    world.license(ExpirationStrategy::Maintain, None, None);
    world.tenant.license.as_mut().expect("just set").seats = Some(50);
    let resolution = world.resolve();
    assert_eq!(
        resolution.entitlements,
        given(&[
            ("sso", Entitlement::Flag(true)),
            ("seats", Entitlement::Count(50)),
            ("rooms", Entitlement::Count(3)),
            ("calls", Entitlement::Count(0)),
            ("storage", Entitlement::Unlimited(Unlimited::Unlimited)),
        ])
    );
    assert_eq!(resolution.limits, BTreeMap::from([("requests".to_owned(), 7), ("exports".to_owned(), 3)]));
}

#[test]
fn an_explanation_is_also_data() {
    let world = chat();
    let (resolution, sources) = (world.resolve(), world.sources());
    let explanation = world.explainer(&resolution, &sources).tenant();
    assert_eq!(
        serde_json::to_value(&explanation).expect("plain data"),
        serde_json::json!({
            "tenant": "acme",
            "at": "2026-04-11T00:00:00Z",
            "mini_programs": [{
                "app_id": "com.example.chat",
                "decision": "in",
                "versions": [{ "version": "1.0.0", "code": 1, "min_code": 1, "everywhere": true }],
                "because": [{
                    "reason": "in_plan",
                    "text": "plan `basic` contains it",
                    "place": "catalog/plans/basic.yaml:2",
                }],
            }],
        })
    );
}
