//! docs/decisions.md once more, word by word, with names and maps and no thought of speed.
//! It shares nothing with the `resolve` stage but the input types.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};
use tenantry::input::{ExpirationStrategy, MinStatus, ReviewStatus, TenantStatus};
use tenantry::model::{AllowDeny, Catalog, Effect, Profile, Project, Release, Tenant};
use tenantry::time::{Timestamp, Window};

/// What the rule says of one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    In {
        window: Window,
        /// Level → code.
        versions: BTreeMap<u32, u32>,
        /// Code → reason, of versions newer than all chosen ones.
        passed_over: BTreeMap<u32, String>,
    },
    /// The reason, with those of the programs that it names: `dependency com.example.b: review`.
    Out(String),
}

#[derive(Clone)]
struct Grant {
    app_id: String,
    range: Option<VersionReq>,
    strength: u32,
    expires: Option<Timestamp>,
}

struct Rule<'a> {
    project: &'a Project,
    catalog: &'a Catalog,
    tenant: &'a Tenant,
    now: Timestamp,
    /// The devices asked about: those that stand just before the end of so many percent.
    percent: u32,
    grants: Vec<Grant>,
    levels: Vec<u32>,
}

/// What stands at one level: chosen codes, and who fell why.
#[derive(Default, Clone)]
struct Level {
    chosen: BTreeMap<String, u32>,
    fallen: BTreeMap<String, String>,
}

pub(crate) fn evaluate(
    project: &Project,
    catalog: &Catalog,
    tenant: &Tenant,
    now: Timestamp,
    percent: u32,
) -> BTreeMap<String, Answer> {
    let levels: BTreeSet<u32> =
        tenant.shells.iter().flat_map(|it| catalog.shells[it.at()].platform_codes.clone()).collect();
    let rule = Rule {
        project,
        catalog,
        tenant,
        now,
        percent,
        grants: wanted(catalog, tenant, now),
        levels: levels.into_iter().collect(),
    };
    let levels: BTreeMap<u32, Level> = rule.levels.iter().map(|level| (*level, rule.level(*level))).collect();
    rule.app_ids().into_iter().map(|it| (it.clone(), rule.answer(&it, &levels))).collect()
}

/// Step 2.
fn wanted(catalog: &Catalog, tenant: &Tenant, now: Timestamp) -> Vec<Grant> {
    let name = |id: tenantry::model::ProgramId| catalog.programs[id.at()].app_id.to_string();
    let mut grants = Vec::new();
    let mut plan = Some(tenant.plan.0);
    while let Some(id) = plan {
        for it in &catalog.plans[id.at()].grants {
            grants.push(Grant { app_id: name(it.program), range: it.range.clone(), strength: 1, expires: None });
        }
        plan = catalog.plans[id.at()].extends;
    }
    for (id, _) in &tenant.add_ons {
        for it in &catalog.add_ons[id.at()].grants {
            grants.push(Grant { app_id: name(it.program), range: it.range.clone(), strength: 2, expires: None });
        }
    }
    for it in &tenant.overrides {
        if let Effect::Grant(range) = &it.effect
            && now < it.expires
        {
            let expires = Some(it.expires);
            grants.push(Grant { app_id: name(it.program), range: range.clone(), strength: 3, expires });
        }
    }
    grants
}

fn in_range(range: &Option<VersionReq>, version: &Version) -> bool {
    let released = Version::new(version.major, version.minor, version.patch);
    range.as_ref().is_none_or(|range| range.matches(version) || range.matches(&released))
}

/// `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| like(&pattern[1..], &text[at..]))
        }
        Some(c) => text.strip_prefix(c).is_some_and(|text| like(&pattern[c.len_utf8()..], text)),
    }
}

fn passes(lists: &AllowDeny, text: &str) -> bool {
    let denied = lists.deny.iter().any(|it| like(&it.text, text));
    let allowed = lists.allow.as_ref().is_none_or(|(allow, _)| allow.iter().any(|it| like(&it.text, text)));
    !denied && allowed
}

impl Rule<'_> {
    fn app_ids(&self) -> Vec<String> {
        self.catalog.programs.iter().map(|it| it.app_id.to_string()).collect()
    }

    fn name(&self, id: tenantry::model::ProgramId) -> String {
        self.catalog.programs[id.at()].app_id.to_string()
    }

    fn releases(&self, app_id: &str) -> Vec<&Release> {
        let program = self.catalog.programs.iter().find(|it| &*it.app_id == app_id).expect("a program");
        program.releases.iter().collect()
    }

    fn release(&self, app_id: &str, code: u32) -> &Release {
        self.releases(app_id).into_iter().find(|it| it.code == code).expect("a version")
    }

    fn dependencies(&self, release: &Release) -> Vec<(String, Option<VersionReq>)> {
        release.dependencies.iter().map(|it| (self.name(it.program), it.range.clone())).collect()
    }

    fn grants_of(&self, app_id: &str) -> Vec<Grant> {
        self.grants.iter().filter(|it| it.app_id == app_id).cloned().collect()
    }

    fn strength(&self, app_id: &str) -> u32 {
        self.grants_of(app_id).iter().map(|it| it.strength).max().unwrap_or(0)
    }

    /// Step 3: none for a candidate.
    fn refusal(&self, app_id: &str, release: &Release) -> Option<String> {
        if release.status != ReviewStatus::Approved && release.status != ReviewStatus::Online {
            return Some("review".to_owned());
        }
        if release.revoked.is_some() {
            return Some("version_revoked".to_owned());
        }
        if let Some(rule) = self.breach(app_id, release) {
            return Some(format!("compliance {rule}"));
        }
        if let Some((region, _)) = &self.tenant.data_region
            && !release.regions.is_empty()
            && !release.regions.contains(&region.to_string())
        {
            return Some("data_region".to_owned());
        }
        if let Some(license) = &self.tenant.license
            && license.strategy == ExpirationStrategy::Restrict
            && let Some(until) = license.window.until
            && self.now >= until.plus(license.grace)
            && let Some(since) = release.since
            && since >= until
        {
            return Some("licence_restricted".to_owned());
        }
        let grants = self.grants_of(app_id);
        if !grants.is_empty() && !grants.iter().any(|it| in_range(&it.range, &release.version)) {
            return Some("granted".to_owned());
        }
        for (program, code, _) in &self.tenant.pins {
            if self.name(*program) == app_id && *code != release.code {
                return Some("pin".to_owned());
            }
        }
        let channel = match &self.tenant.channel {
            Some(channel) => channel.to_string(),
            None => self.project.channel.to_string(),
        };
        let pre = release.version.pre.to_string();
        if !pre.is_empty() && pre != channel && !pre.starts_with(&format!("{channel}.")) {
            return Some("channel".to_owned());
        }
        if let Some(rollout) = &release.rollout {
            let has = |(key, value): (&String, &String)| self.tenant.labels.get(key) == Some(value);
            let share = |at: Timestamp| {
                let steps = rollout.steps.iter().filter(|it| it.from <= at && it.match_labels.iter().all(has));
                steps.map(|it| it.percent).max().unwrap_or(0)
            };
            let came = self.free().map_or(0, share);
            if share(self.now) == 0 {
                return Some("rollout".to_owned());
            }
            if came > 0 && share(self.now) < self.percent {
                return Some("percentage".to_owned());
            }
            if came < self.percent {
                return Some(self.frozen());
            }
        }
        if let Some(since) = release.since {
            let soaks = self.closure().into_iter().filter_map(|it| it.min_soak).map(|(soak, _)| since.plus(soak));
            let came = soaks.chain([since]).max().expect("its review at least");
            if self.free() != Some(self.now) && self.free().is_none_or(|free| free < came) {
                return Some(self.frozen());
            }
        }
        None
    }

    fn closure(&self) -> Vec<&Profile> {
        let profile = self.tenant.profile.map(|(id, _)| &self.catalog.profiles[id.at()]);
        profile.into_iter().flat_map(|it| &it.closure).map(|id| &self.catalog.profiles[id.at()]).collect()
    }

    fn is_free(&self, at: Timestamp) -> bool {
        let open = |it: &Window| it.from.is_none_or(|from| from <= at) && it.until.is_none_or(|until| at < until);
        !self.closure().iter().flat_map(|it| &it.freeze_windows).any(|(it, _)| open(it))
    }

    /// The last instant up to now that lies in no freeze window. It is now, or the second before a window.
    fn free(&self) -> Option<Timestamp> {
        let windows = self.closure().into_iter().flat_map(|it| &it.freeze_windows);
        let before = windows.filter_map(|(it, _)| Timestamp::from_unix(it.from?.unix() - 1));
        before.chain([self.now]).filter(|it| *it <= self.now && self.is_free(*it)).max()
    }

    /// The first profile with a window in which we are.
    fn frozen(&self) -> String {
        let holds = |it: &&Profile| it.freeze_windows.iter().any(|(it, _)| it.contains(self.now));
        format!("frozen {}", self.closure().into_iter().find(holds).expect("one of them").name)
    }

    fn breach(&self, app_id: &str, release: &Release) -> Option<String> {
        let (profile, _) = self.tenant.profile?;
        for id in &self.catalog.profiles[profile.at()].closure {
            let profile = &self.catalog.profiles[id.at()];
            let broken = |rule: &str| Some(format!("{} {rule}", profile.name));
            if !passes(&profile.mini_programs, app_id) {
                return broken("mini_programs");
            }
            if release.req_permissions.iter().any(|it| !passes(&profile.permissions, &it.name)) {
                return broken("permissions");
            }
            if release.egress.iter().any(|it| !passes(&profile.egress, it)) {
                return broken("egress");
            }
            if profile.max_classification.is_some_and(|(max, _)| release.classification > max) {
                return broken("data.max_classification");
            }
            if let Some((regions, _)) = &profile.regions
                && !release.regions.iter().any(|it| regions.contains(it))
            {
                return broken("data.regions");
            }
            if let Some((MinStatus::Online, _)) = profile.min_status
                && release.status != ReviewStatus::Online
            {
                return broken("review.min_status");
            }
            if let Some((soak, _)) = profile.min_soak
                && release.since.is_none_or(|since| self.now < since.plus(soak))
            {
                return broken("review.min_soak");
            }
            let pinned = self.tenant.pins.iter().any(|it| self.name(it.0) == app_id);
            if profile.pin_required.is_some() && !pinned {
                return broken("update.pin_required");
            }
        }
        None
    }

    /// Step 4.
    fn viable(&self, app_id: &str, release: &Release, at: u32, fallen: &BTreeMap<String, String>) -> bool {
        self.refusal(app_id, release).is_none()
            && !fallen.contains_key(app_id)
            && release.min_code <= at
            && release.max_code.is_none_or(|max| at <= max)
            && self.dependencies(release).iter().all(|(on, range)| self.viable_in(on, range, at, fallen))
    }

    fn viable_in(&self, app_id: &str, range: &Option<VersionReq>, at: u32, fallen: &BTreeMap<String, String>) -> bool {
        let releases = self.releases(app_id);
        releases.into_iter().any(|it| in_range(range, &it.version) && self.viable(app_id, it, at, fallen))
    }

    /// Every program before those it depends on, ties by `app_id`.
    fn order(&self) -> Vec<String> {
        let needs = |one: &str, other: &str| {
            self.releases(one).iter().any(|it| self.dependencies(it).iter().any(|(on, _)| on == other))
        };
        let mut left = self.app_ids();
        let mut order = Vec::new();
        while !left.is_empty() {
            let free = left.iter().position(|it| !left.iter().any(|other| needs(other, it))).expect("no cycles");
            order.push(left.remove(free));
        }
        order
    }

    fn level(&self, at: u32) -> Level {
        let mut fallen: BTreeMap<String, String> = BTreeMap::new();
        'again: loop {
            let mut chosen: BTreeMap<String, u32> = BTreeMap::new();
            for app_id in self.order() {
                let mut asked: Vec<(String, Option<VersionReq>)> = Vec::new();
                for (dependant, code) in &chosen {
                    for (on, range) in self.dependencies(self.release(dependant, *code)) {
                        if on == app_id {
                            asked.push((dependant.clone(), range));
                        }
                    }
                }
                if self.grants_of(&app_id).is_empty() && asked.is_empty() {
                    continue;
                }
                let mut viable = self.releases(&app_id);
                viable.retain(|it| self.viable(&app_id, it, at, &fallen));
                let suiting: Vec<&&Release> =
                    viable.iter().filter(|it| asked.iter().all(|(_, range)| in_range(range, &it.version))).collect();
                if let Some(best) = suiting.iter().map(|it| it.code).max() {
                    chosen.insert(app_id, best);
                } else if !viable.is_empty() {
                    let dependants: Vec<String> = asked.into_iter().map(|(it, _)| it).collect();
                    fallen.insert(self.weakest(&dependants), "dependency_clash".to_owned());
                    continue 'again;
                }
            }
            let mut pairs: BTreeSet<(String, String)> = BTreeSet::new();
            for (app_id, code) in &chosen {
                for (other, _) in &self.release(app_id, *code).conflicts {
                    let other = self.name(*other);
                    if chosen.contains_key(&other) {
                        pairs.insert((app_id.clone().min(other.clone()), app_id.clone().max(other)));
                    }
                }
            }
            match pairs.into_iter().next() {
                None => return Level { chosen, fallen },
                Some((one, other)) => fallen.insert(self.weakest(&[one, other]), "conflict".to_owned()),
            };
        }
    }

    fn weakest(&self, app_ids: &[String]) -> String {
        let least = app_ids.iter().map(|it| self.strength(it)).min().expect("somebody");
        let weakest = app_ids.iter().filter(|it| self.strength(it) == least).max();
        weakest.expect("somebody").clone()
    }

    /// Step 5.
    fn chosen_dependencies(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> BTreeSet<String> {
        let codes: BTreeSet<u32> = levels.values().filter_map(|it| it.chosen.get(app_id)).copied().collect();
        codes.into_iter().flat_map(|it| self.dependencies(self.release(app_id, it))).map(|(on, _)| on).collect()
    }

    fn dependants(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> Vec<String> {
        let mut all = self.app_ids();
        all.retain(|it| self.chosen_dependencies(it, levels).contains(app_id));
        all
    }

    /// The ends of whatever wants it; `None` in the set is an open end.
    fn ends(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> BTreeSet<Option<Timestamp>> {
        let mut ends: BTreeSet<Option<Timestamp>> = self.grants_of(app_id).iter().map(|it| it.expires).collect();
        for it in self.dependants(app_id, levels) {
            ends.extend(self.ends(&it, levels));
        }
        ends
    }

    fn wanted_window(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> Window {
        let ends = self.ends(app_id, levels);
        let until = match ends.contains(&None) {
            true => None,
            false => ends.into_iter().max().flatten(),
        };
        let revoked = self.tenant.overrides.iter().filter(|it| {
            matches!(it.effect, Effect::Revoke) && self.now < it.expires && self.name(it.program) == app_id
        });
        Window { from: revoked.map(|it| it.expires).max(), until }
    }

    fn licensed_window(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> Window {
        let mut window = self.wanted_window(app_id, levels);
        if let Some(license) = &self.tenant.license {
            window.from = later(window.from, license.window.from);
            if license.strategy == ExpirationStrategy::Revoke
                && let Some(until) = license.window.until
            {
                window.until = earlier(window.until, Some(until.plus(license.grace)));
            }
        }
        window
    }

    fn window(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> Window {
        let mut window = self.licensed_window(app_id, levels);
        for it in self.chosen_dependencies(app_id, levels) {
            window = cut(window, self.window(&it, levels));
        }
        window
    }

    fn over(&self, window: Window) -> bool {
        let empty = matches!((window.from, window.until), (Some(from), Some(until)) if until <= from);
        empty || window.until.is_some_and(|it| it <= self.now)
    }

    fn is_in(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> bool {
        let chosen = levels.values().any(|it| it.chosen.contains_key(app_id));
        let wanted = !self.grants_of(app_id).is_empty()
            || self.dependants(app_id, levels).iter().any(|it| self.is_in(it, levels));
        chosen && wanted && !self.over(self.window(app_id, levels))
    }

    /// Step 6.
    fn answer(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> Answer {
        let granted = !self.grants_of(app_id).is_empty();
        let chosen = levels.values().any(|it| it.chosen.contains_key(app_id));
        if self.tenant.status != TenantStatus::Active {
            return Answer::Out(if granted { "tenant_status" } else { "not_entitled" }.to_owned());
        }
        if self.is_in(app_id, levels) {
            return Answer::In {
                window: self.window(app_id, levels),
                versions: levels.iter().filter_map(|(at, it)| Some((*at, *it.chosen.get(app_id)?))).collect(),
                passed_over: self.passed_over(app_id, levels),
            };
        }
        let by_own_window = chosen && self.over(self.window(app_id, levels));
        if !granted && !by_own_window {
            return Answer::Out("not_entitled".to_owned());
        }
        let wanted = self.wanted_window(app_id, levels);
        if matches!((wanted.from, wanted.until), (Some(from), Some(until)) if until <= from) {
            return Answer::Out("revoked".to_owned());
        }
        if self.over(self.licensed_window(app_id, levels)) {
            return Answer::Out("licence_ended".to_owned());
        }
        if chosen {
            return Answer::Out(self.kept_away(app_id, self.licensed_window(app_id, levels), levels));
        }
        if let Some((_, it)) = levels.iter().rev().find(|(_, it)| it.fallen.contains_key(app_id)) {
            return Answer::Out(it.fallen[app_id].clone());
        }
        let telling = self.most_telling(app_id, self.releases(app_id)).expect("a version");
        if let Some(refusal) = self.refusal(app_id, telling) {
            return Answer::Out(refusal);
        }
        let runs = |at: &&u32| telling.min_code <= **at && telling.max_code.is_none_or(|max| **at <= max);
        match self.levels.iter().rev().find(runs) {
            None => Answer::Out("platform".to_owned()),
            Some(at) => Answer::Out(self.unmet(telling, *at, &levels[at].fallen)),
        }
    }

    /// The one that passes the most points of step 3.
    fn most_telling<'a>(&self, app_id: &str, releases: Vec<&'a Release>) -> Option<&'a Release> {
        let points = [
            "review",
            "version_revoked",
            "compliance",
            "data_region",
            "licence_restricted",
            "granted",
            "pin",
            "channel",
            "rollout",
            "percentage",
            "frozen",
        ];
        releases.into_iter().max_by_key(|it| {
            let refusal = self.refusal(app_id, it);
            let passed =
                refusal.map_or(points.len(), |why| points.iter().position(|p| why.starts_with(p)).expect("a point"));
            (passed, it.code)
        })
    }

    fn unmet(&self, release: &Release, at: u32, fallen: &BTreeMap<String, String>) -> String {
        let dependencies = self.dependencies(release);
        let (on, range) = dependencies.iter().find(|(on, range)| !self.viable_in(on, range, at, fallen)).expect("one");
        format!("dependency {on}: {}", self.own_reason(on, range, at, fallen))
    }

    fn own_reason(
        &self,
        app_id: &str,
        range: &Option<VersionReq>,
        at: u32,
        fallen: &BTreeMap<String, String>,
    ) -> String {
        if let Some(fall) = fallen.get(app_id) {
            return fall.clone();
        }
        let releases = self.releases(app_id).into_iter().filter(|it| in_range(range, &it.version));
        let Some(telling) = self.most_telling(app_id, releases.collect()) else {
            return "no_version".to_owned();
        };
        if let Some(refusal) = self.refusal(app_id, telling) {
            return refusal;
        }
        if at < telling.min_code || telling.max_code.is_some_and(|max| max < at) {
            return "platform".to_owned();
        }
        self.unmet(telling, at, fallen)
    }

    fn kept_away(&self, app_id: &str, window: Window, levels: &BTreeMap<u32, Level>) -> String {
        let revoked = self.wanted_window(app_id, levels).from;
        if self.over(cut(window, Window { from: revoked, until: None })) {
            return "revoked".to_owned();
        }
        let mut needed = self.chosen_dependencies(app_id, levels).into_iter();
        let first = needed.find(|it| self.over(cut(window, self.window(it, levels)))).expect("one of them");
        format!("dependency_ended {first}: {}", self.kept_away(&first, window, levels))
    }

    fn passed_over(&self, app_id: &str, levels: &BTreeMap<u32, Level>) -> BTreeMap<u32, String> {
        let newest = levels.values().filter_map(|it| it.chosen.get(app_id)).max().expect("it is in");
        let above = self.releases(app_id).into_iter().filter(|it| it.code > *newest);
        above.map(|it| (it.code, self.why_unused(app_id, it, levels))).collect()
    }

    fn why_unused(&self, app_id: &str, release: &Release, levels: &BTreeMap<u32, Level>) -> String {
        if let Some(refusal) = self.refusal(app_id, release) {
            return refusal;
        }
        let runs = |at: u32| release.min_code <= at && release.max_code.is_none_or(|max| at <= max);
        let having = levels.iter().rev().find(|(at, it)| runs(**at) && it.chosen.contains_key(app_id));
        let Some((at, level)) = having else { return "platform".to_owned() };
        if !self.viable(app_id, release, *at, &level.fallen) {
            return self.unmet(release, *at, &level.fallen);
        }
        for dependant in self.order() {
            let Some(code) = level.chosen.get(&dependant) else { continue };
            for (on, range) in self.dependencies(self.release(&dependant, *code)) {
                if on == app_id && !in_range(&range, &release.version) {
                    return format!("held {dependant}");
                }
            }
        }
        unreachable!("a viable newest version that nobody holds back is chosen")
    }
}

fn later(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().max()
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

fn cut(one: Window, other: Window) -> Window {
    Window { from: later(one.from, other.from), until: earlier(one.until, other.until) }
}
