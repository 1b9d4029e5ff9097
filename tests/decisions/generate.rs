//! Small worlds in which much goes wrong at once. Numbers decide; zeros make the plainest world, so failures shrink well.

use tenantry::input::{Classification, ExpirationStrategy, MinStatus, ReviewStatus, RevokeMode, TenantStatus};
use tenantry::model::{Dependency, PlanId, ProfileId, ProgramId};
use tenantry::time::{Duration, Timestamp, Window};

use crate::builder::{World, day};

const APP_IDS: [&str; 7] = [
    "com.example.a",
    "com.example.b",
    "com.example.c",
    "com.example.d",
    "com.example.e",
    "com.example.f",
    "com.example.g",
];
const RANGES: [&str; 6] = ["", "^1", "^2", ">=1.1", "<2", "=1.0.0"];
const VERSIONS: [&str; 6] = ["1.0.0", "1.1.0", "2.0.0-beta.1", "2.0.0", "2.1.0-rc.1", "2.1.0"];

/// In a calm world nearly every version may ship, so that dependencies and conflicts decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Calm,
    Hostile,
}

struct Dice<'a>(std::slice::Iter<'a, u16>);

impl Dice<'_> {
    fn below(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == sides - 1
    }
}

pub(crate) fn world(numbers: &[u16]) -> World {
    let mut dice = Dice(numbers.iter());
    let mood = dice.pick(&[Mood::Calm, Mood::Hostile]);
    let programs = &APP_IDS[..2 + dice.below(6)];
    let mut world = World::new(programs);
    world.project.channel = dice.pick(&["stable", "stable", "beta"]).into();
    shells(&mut world, &mut dice);
    add_releases(&mut world, &mut dice, mood);
    world.catalog.dependants_first = dependants_first(&world);
    grants(&mut world, &mut dice);
    if mood == Mood::Hostile && dice.one_in(2) {
        profiles(&mut world, &mut dice);
    }
    tenant(&mut world, &mut dice, mood);
    world
}

fn shells(world: &mut World, dice: &mut Dice<'_>) {
    world.catalog.shells[0].platform_codes = dice.pick(&[&[10][..], &[8, 12], &[10, 12], &[8, 10, 11]]).to_vec();
    if dice.one_in(3) {
        world.shell("other", dice.pick(&[&[12][..], &[9, 10]]));
    }
}

fn add_releases(world: &mut World, dice: &mut Dice<'_>, mood: Mood) {
    let count = world.catalog.programs.len();
    // Programs depend on higher ranks only, so that there are no cycles; ranks do not follow names.
    let mut ranked: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        let other = at - dice.below(at + 1);
        ranked.swap(at, other);
    }
    for rank in 0..count {
        let app_id = APP_IDS[ranked[rank]];
        let mut version = 0;
        for _ in 0..1 + dice.below(3) {
            version += dice.below(2);
            let text = VERSIONS[version.min(VERSIONS.len() - 1)];
            version += 1;
            world.release(app_id, text);
            if mood == Mood::Hostile || dice.one_in(12) {
                trouble(world, dice, app_id);
            }
            if dice.one_in(4) {
                rollout(world, dice, app_id);
            }
            if dice.one_in(20) {
                world.stops(app_id, dice.pick(&[RevokeMode::Block, RevokeMode::Drain]));
            }
            for other in ranked.iter().skip(rank + 1) {
                if dice.one_in(3) {
                    let text = dice.pick(&RANGES);
                    world.depends(app_id, APP_IDS[*other], text);
                }
            }
            if dice.one_in(7) {
                let other = APP_IDS[dice.below(count)];
                if other != app_id {
                    world.conflicts(app_id, other);
                }
            }
        }
    }
}

fn trouble(world: &mut World, dice: &mut Dice<'_>, app_id: &str) {
    for name in ["camera", "contacts.read"] {
        if dice.one_in(4) {
            world.permission(app_id, name);
        }
    }
    let place = world.line("catalog/hosts.yaml");
    let release = world.newest(app_id);
    release.status = match dice.below(12) {
        9 => ReviewStatus::Deprecated,
        10 => ReviewStatus::Audit,
        11 => ReviewStatus::Develop,
        at if at % 3 == 2 => ReviewStatus::Approved,
        _ => ReviewStatus::Online,
    };
    release.since = dice.pick(&[Some(0), Some(50), Some(94), Some(95), Some(100), Some(104), None]).map(day);
    release.min_code = dice.pick(&[1, 1, 1, 9, 10, 12]);
    release.max_code = dice.pick(&[None, None, None, Some(12), Some(10), Some(9)]);
    let regions: &[&str] = dice.pick(&[&[][..], &[], &["eu"], &["us"], &["eu", "us"]]);
    release.regions = regions.iter().map(|it| (*it).to_owned()).collect();
    release.classification = dice.pick(&[Classification::Public, Classification::Internal, Classification::Restricted]);
    let hosts: &[&str] = dice.pick(&[&[][..], &[], &["api.example.com"], &["push.example.net", "api.example.com"]]);
    release.egress = hosts.iter().map(|it| (*it).to_owned()).collect();
    release.egress_spans = vec![place; hosts.len()];
}

/// A tenant, and whom the only version goes to when.
pub(crate) fn rolling_out(world: &mut World, numbers: &[u16]) {
    let mut dice = Dice(numbers.iter());
    let ring = dice.pick(&["early", "late"]);
    world.tenant.labels.insert("ring".to_owned(), ring.to_owned());
    rollout(world, &mut dice, "com.example.a");
}

/// Whom a version goes to when: one step after the other, each with a larger share or for others.
fn rollout(world: &mut World, dice: &mut Dice<'_>, app_id: &str) {
    let mut day_of = 0;
    let mut steps = Vec::new();
    for _ in 0..1 + dice.below(4) {
        day_of = dice.pick(&[90, 94, 95, 99, 100, 101, 103]).max(day_of);
        let labels: &[(&str, &str)] = dice.pick(&[&[][..], &[], &[("ring", "early")], &[("ring", "late")]]);
        steps.push((day_of, labels, dice.pick(&[100, 100, 10, 20, 50, 80])));
    }
    world.rolls_out(app_id, &steps);
}

fn dependants_first(world: &World) -> Vec<ProgramId> {
    let needs = |one: usize, other: usize| {
        let mut releases = world.catalog.programs[one].releases.iter();
        releases.any(|it| it.dependencies.iter().any(|it: &Dependency| it.program.at() == other))
    };
    let mut left: Vec<usize> = (0..world.catalog.programs.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let free = left.iter().position(|it| !left.iter().any(|one| needs(*one, *it))).expect("no cycles");
        order.push(ProgramId(u32::try_from(left.remove(free)).expect("few programs")));
    }
    order
}

fn grants(world: &mut World, dice: &mut Dice<'_>) {
    let premium = world.plan("premium", Some(PlanId(0)));
    world.tenant.plan.0 = dice.pick(&[PlanId(0), premium]);
    let names: Vec<String> = world.catalog.programs.iter().map(|it| it.app_id.to_string()).collect();
    let mut add_ons = Vec::new();
    for name in ["extra", "more"] {
        if dice.one_in(2) {
            add_ons.push(world.add_on(name));
        }
    }
    for app_id in &names {
        for plan in [PlanId(0), premium] {
            if dice.below(3) == 0 {
                world.plan_grants(plan, app_id, grant_range(dice)).optional = dice.one_in(3);
            }
        }
        for add_on in &add_ons {
            if dice.one_in(4) {
                world.add_on_grants(*add_on, app_id, grant_range(dice));
            }
        }
    }
    for _ in 0..dice.below(4) {
        let app_id = &names[dice.below(names.len())];
        let expires = day(dice.pick(&[101, 103, 110, 100, 99, 104]));
        match dice.below(2) {
            0 => world.grants(app_id, grant_range(dice), expires),
            _ => world.revokes(app_id, expires),
        }
    }
}

fn grant_range(dice: &mut Dice<'_>) -> &'static str {
    match dice.one_in(3) {
        true => dice.pick(&RANGES),
        false => "",
    }
}

fn profiles(world: &mut World, dice: &mut Dice<'_>) {
    let ids = [world.profile("first"), world.profile("second"), world.profile("third")];
    let imports: [&[usize]; 3] = [dice.pick(&[&[][..], &[1], &[1, 2], &[2, 1]]), dice.pick(&[&[][..], &[2]]), &[]];
    for id in ids {
        let mut closure = Vec::new();
        import(id.at(), &imports, &mut closure);
        world.catalog.profiles[id.at()].closure = closure;
        rules(world, dice, id);
    }
    world.under(ids[0]);
}

fn import(at: usize, imports: &[&[usize]; 3], closure: &mut Vec<ProfileId>) {
    let id = ProfileId(u32::try_from(at).expect("three profiles"));
    if !closure.contains(&id) {
        closure.push(id);
        for it in imports[at] {
            import(*it, imports, closure);
        }
    }
}

fn rules(world: &mut World, dice: &mut Dice<'_>, id: ProfileId) {
    let path = format!("catalog/compliance/{}.yaml", world.catalog.profiles[id.at()].name);
    let denied = [
        dice.one_in(6).then(|| dice.pick(&["com.example.a", "*.b", "com.*.c*", "other.*"])),
        dice.one_in(6).then(|| dice.pick(&["camera", "contacts.*"])),
        dice.one_in(6).then(|| dice.pick(&["*.net", "api.*"])),
    ];
    let denied = denied.map(|it| it.map(|text| world.pattern(text, &path)));
    let allowed = [
        dice.one_in(8).then(|| dice.pick(&["com.example.*", "*.a", "com*d"])),
        dice.one_in(8).then(|| dice.pick(&["camera", "con*read"])),
        dice.one_in(8).then(|| dice.pick(&["*.example.*", "*.com"])),
    ];
    let allowed = allowed.map(|it| it.map(|text| world.pattern(text, &path)));
    let place = world.line(&path);
    let profile = &mut world.catalog.profiles[id.at()];
    let lists = [&mut profile.mini_programs, &mut profile.permissions, &mut profile.egress];
    for ((list, deny), allow) in lists.into_iter().zip(denied).zip(allowed) {
        list.deny = deny.into_iter().collect();
        list.allow = allow.map(|it| (vec![it], place));
    }
    let class = dice.pick(&[Classification::Public, Classification::Internal, Classification::Confidential]);
    profile.max_classification = dice.one_in(8).then_some((class, place));
    profile.regions = dice.one_in(9).then(|| (vec!["eu".to_owned()], place));
    profile.min_status = dice.one_in(6).then(|| (dice.pick(&[MinStatus::Online, MinStatus::Approved]), place));
    profile.min_soak = dice.one_in(5).then(|| (Duration::days(dice.pick(&[5, 6, 30, 0])), place));
    profile.pin_required = dice.one_in(10).then_some(place);
    for _ in 0..dice.below(6).saturating_sub(2) {
        let from = dice.pick(&[Some(95), Some(100), Some(90), Some(103), Some(40), None]).map(day);
        let until = dice.pick(&[Some(101), Some(100), Some(105), None]).map(day);
        profile.freeze_windows.push((Window { from, until }, place));
    }
}

fn tenant(world: &mut World, dice: &mut Dice<'_>, mood: Mood) {
    let names: Vec<String> = world.catalog.programs.iter().map(|it| it.app_id.to_string()).collect();
    for app_id in &names {
        if mood == Mood::Hostile && dice.one_in(8) {
            world.pins(app_id, dice.pick(&[1, 2, 3]));
        }
    }
    let place = world.line("tenants/acme.yaml");
    let ring = dice.pick(&[None, Some("early"), Some("late")]);
    world.tenant.labels = ring.into_iter().map(|it| ("ring".to_owned(), it.to_owned())).collect();
    world.tenant.channel = dice.pick(&[None, None, Some("beta"), Some("rc"), Some("be")]).map(Into::into);
    world.tenant.data_region = dice.one_in(4).then(|| ("eu".into(), place));
    if dice.one_in(3) {
        let strategy =
            dice.pick(&[ExpirationStrategy::Restrict, ExpirationStrategy::Revoke, ExpirationStrategy::Maintain]);
        let from = dice.pick(&[None, Some(90), Some(100), Some(102), Some(104)]).map(day);
        let until: Option<Timestamp> = dice.pick(&[None, Some(103), Some(100), Some(95), Some(97), Some(50)]).map(day);
        world.license(strategy, from, until);
        let license = world.tenant.license.as_mut().expect("just set");
        license.grace = Duration::days(dice.pick(&[0, 3, 5]));
    }
    if dice.one_in(40) {
        world.tenant.status = dice.pick(&[TenantStatus::Suspended, TenantStatus::Inactive]);
    }
}
