//! Each reason in words. A text names the kind and the name of the document that it comes from.

use crate::explain::{Explainer, Fact};
use crate::input::{Classification, ExpirationStrategy, MinStatus, ReviewStatus, TenantStatus};
use crate::model::{Effect, License, Override, PlanId, Profile, ProgramId, Release};
use crate::resolve::{Breach, Exclusion, Included, Reason, ReasonKind, Rule, Standing, Subject};
use crate::text::Span;
use crate::time::Timestamp;

/// Whom a reason is about.
struct Topic<'a> {
    program: ProgramId,
    release: Option<&'a Release>,
    /// Empty for the program that the sentence begins with, else `` of `com.example.chat` 2.0.0``.
    of: String,
    /// `it`, or `` program `com.example.chat` ``.
    it: String,
}

impl Explainer<'_> {
    pub(super) fn fact(&self, reason: &'static str, text: String, span: Span) -> Fact {
        Fact { reason, text, place: self.sources.place(span) }
    }

    /// Who wants a program.
    pub(super) fn reason(&self, reason: &Reason) -> Fact {
        let plan = |id: PlanId| &self.catalog.plans[id.at()].name;
        let (kind, text) = match reason.kind {
            ReasonKind::InPlan { plan: id, via: None } => ("in_plan", format!("plan `{}` contains it", plan(id))),
            ReasonKind::InPlan { plan: id, via: Some(via) } => {
                ("in_plan", format!("plan `{}` contains it through plan `{}`", plan(id), plan(via)))
            }
            ReasonKind::InAddOn { add_on } => {
                ("in_add_on", format!("add-on `{}` contains it", self.catalog.add_ons[add_on.at()].name))
            }
            ReasonKind::Granted { index } => {
                let end = self.tenant.overrides[index].expires;
                ("granted", format!("an override of tenant `{}` grants it until {end}", self.tenant.name))
            }
            ReasonKind::RequiredBy { program } => {
                ("required_by", format!("program `{}` needs it", self.app_id(program)))
            }
        };
        self.fact(kind, text, reason.span)
    }

    /// Why a program or a version is out: each link the reason of the one before.
    pub(super) fn chain(&self, program: ProgramId, release: Option<&Release>, why: &Exclusion) -> Vec<Fact> {
        let mut topic = Topic { program, release, of: String::new(), it: "it".to_owned() };
        let (mut why, mut facts) = (why, Vec::new());
        loop {
            let span = why.span().unwrap_or(self.tenant.plan.1);
            facts.push(self.fact(why.kind(), self.exclusion(&topic, why), span));
            let (program, release, inner) = match why {
                Exclusion::Dependency { program, release, why, .. } => (*program, *release, why),
                Exclusion::DependencyEnded { program, why, .. } => (*program, None, why),
                _ => return facts,
            };
            let app_id = self.app_id(program);
            let release = release.map(|at| &self.catalog.program(program).releases[at]);
            let of = match release {
                Some(release) => format!(" of `{app_id}` {}", release.version),
                None => format!(" of `{app_id}`"),
            };
            topic = Topic { program, release, of, it: format!("program `{app_id}`") };
            why = inner;
        }
    }

    /// Why a program that others could want is out.
    pub(super) fn nothing_wants_it(&self) -> Fact {
        self.fact(Exclusion::NotEntitled.kind(), self.not_contained("it"), self.tenant.plan.1)
    }

    /// What keeps a program away until its window begins.
    pub(super) fn begin(&self, included: &Included, at: Timestamp) -> Fact {
        let revokes =
            |it: &&Override| matches!(it.effect, Effect::Revoke) && it.program == included.program && it.expires == at;
        let name = &self.tenant.name;
        match (&self.tenant.license, self.tenant.overrides.iter().find(revokes)) {
            (Some(license), _) if license.window.from == Some(at) => {
                self.fact("licence", format!("the licence of tenant `{name}` begins then"), license.span)
            }
            (_, Some(it)) => {
                self.fact("revoked", format!("an override of tenant `{name}` takes it away until then"), it.span)
            }
            (_, None) => {
                let mut needed = included.dependencies.iter().filter_map(|it| match self.resolution.standing(*it) {
                    Standing::In(it) if it.window.from == Some(at) => Some(it),
                    _ => None,
                });
                let late = needed.next().expect("a beginning is its own, the licence's or a dependency's");
                let cause = self.begin(late, at);
                let text = format!("it needs `{}`, which comes then: {}", self.app_id(late.program), cause.text);
                Fact { reason: "dependency", text, place: cause.place }
            }
        }
    }

    /// What ends a program's window.
    pub(super) fn end(&self, included: &Included, at: Timestamp) -> Fact {
        let grants = |it: &&Override| {
            matches!(it.effect, Effect::Grant(_)) && it.program == included.program && it.expires == at
        };
        let ends = |it: &&License| {
            let until = it.window.until.map(|until| until.plus(it.grace));
            it.strategy == ExpirationStrategy::Revoke && until == Some(at)
        };
        let name = &self.tenant.name;
        match (self.tenant.license.as_ref().filter(ends), self.tenant.overrides.iter().find(grants)) {
            (Some(license), _) => {
                let text = format!("the licence of tenant `{name}` is over then, grace included");
                self.fact("licence", text, license.span)
            }
            (None, Some(it)) => self.fact("granted", format!("the override of tenant `{name}` ends then"), it.span),
            (None, None) => self.end_of_need(included, at),
        }
    }

    fn end_of_need(&self, included: &Included, at: Timestamp) -> Fact {
        let mut needing = included.because().iter().filter_map(|reason| match reason.kind {
            ReasonKind::RequiredBy { program } => match self.resolution.standing(program) {
                Standing::In(it) if it.window.until == Some(at) => Some(it),
                _ => None,
            },
            _ => None,
        });
        match needing.next() {
            Some(last) => {
                let cause = self.end(last, at);
                let program = self.app_id(last.program);
                let text = format!("program `{program}`, which needs it, goes then: {}", cause.text);
                Fact { reason: "required_by", text, place: cause.place }
            }
            // The dependant that would have wanted it longest is out itself.
            None => {
                let span = included.because().first().map_or(self.tenant.span, |it| it.span);
                self.fact("required_by", "no program needs it after then".to_owned(), span)
            }
        }
    }

    fn app_id(&self, program: ProgramId) -> &str {
        &self.catalog.program(program).app_id
    }

    fn exclusion(&self, topic: &Topic<'_>, why: &Exclusion) -> String {
        let (Topic { of, it, .. }, tenant) = (topic, &self.tenant.name);
        let version = topic.release.map(|it| it.version.to_string()).unwrap_or_default();
        match why {
            Exclusion::TenantStatus { status, .. } => format!("tenant `{tenant}` is {}", tenant_status(*status)),
            Exclusion::Revoked { until, .. } => {
                format!("an override of tenant `{tenant}` takes {it} away until {until}")
            }
            Exclusion::LicenceEnded { .. } => self.licence_ended(it),
            Exclusion::Review { status, .. } => {
                format!("review status{of} is `{}`, only `approved` and `online` versions ship", review_status(*status))
            }
            Exclusion::VersionRevoked { .. } => {
                let reason = topic.release.and_then(|it| it.revoked.as_ref()).map_or("", |it| &it.reason);
                format!("version {version}{of} is revoked: {reason}")
            }
            Exclusion::Compliance(breach) => self.breach(topic, breach),
            Exclusion::DataRegion { .. } => {
                let region = self.tenant.data_region.as_ref().map_or("", |(region, _)| region);
                let regions = topic.release.map(|it| listed(&it.regions)).unwrap_or_default();
                format!("tenant `{tenant}` keeps data in `{region}`, the data{of} is kept in {regions}")
            }
            Exclusion::LicenceRestricted { .. } => {
                format!("the licence of tenant `{tenant}` has ended, and version {version}{of} was reviewed after it")
            }
            Exclusion::NotGranted { .. } => format!("version {version}{of} is outside what was granted"),
            Exclusion::Pin { code, .. } => {
                let releases = &self.catalog.program(topic.program).releases;
                let pinned = releases.iter().find(|it| it.code == *code);
                let pinned = pinned.map_or_else(|| format!("code {code}"), |it| it.version.to_string());
                format!("tenant `{tenant}` is pinned to {pinned}{of}")
            }
            Exclusion::Channel { .. } => {
                format!("{version}{of} is a pre-release of a channel that tenant `{tenant}` is not on")
            }
            Exclusion::Rollout { from: Some(from), .. } => {
                format!("the rollout of version {version}{of} comes to tenant `{tenant}` on {from}")
            }
            Exclusion::Rollout { from: None, .. } => {
                format!("no step of the rollout of version {version}{of} selects tenant `{tenant}`")
            }
            Exclusion::Percentage { percent, .. } => {
                format!(
                    "the rollout of version {version}{of} has come to {percent} % of the devices of tenant `{tenant}`"
                )
            }
            Exclusion::Frozen { profile, until, .. } => {
                let name = &self.catalog.profiles[profile.at()].name;
                let until = until.map(|it| format!(" until {it}")).unwrap_or_default();
                format!("profile `{name}` lets nothing new{of} in{until}")
            }
            Exclusion::Platform { .. } => self.platform(topic),
            Exclusion::Dependency { program, .. } | Exclusion::DependencyEnded { program, .. } => {
                format!("{it} needs `{}`", self.app_id(*program))
            }
            Exclusion::NoVersion { .. } => format!("no version{of} lies in the range asked for"),
            Exclusion::DependencyClash { on, against: Some((other, _)), .. } => {
                let (on, other) = (self.app_id(*on), self.app_id(*other));
                format!("{it} and program `{other}`, which goes first, need different versions of `{on}`")
            }
            Exclusion::DependencyClash { on, against: None, .. } => {
                format!("{it} asks for two versions of `{}` at once", self.app_id(*on))
            }
            Exclusion::Conflict { with, .. } => {
                format!("{it} cannot stand beside program `{}`, which goes first", self.app_id(*with))
            }
            Exclusion::Held { by, .. } => format!("program `{}` asks for another version{of}", self.app_id(*by)),
            Exclusion::NotEntitled => self.not_contained(it),
        }
    }

    fn not_contained(&self, it: &str) -> String {
        format!("no plan, add-on or override of tenant `{}` contains {it}", self.tenant.name)
    }

    fn licence_ended(&self, it: &str) -> String {
        let tenant = &self.tenant.name;
        let end = self.tenant.license.as_ref().and_then(|it| Some(it.window.until?.plus(it.grace)));
        match end.filter(|end| *end <= self.now) {
            Some(end) => format!("the licence of tenant `{tenant}` was over on {end}, grace included"),
            None => format!("the licence of tenant `{tenant}` leaves no time for {it}"),
        }
    }

    fn platform(&self, topic: &Topic<'_>) -> String {
        let asked = match topic.release.map(|it| (it.min_code, it.max_code)) {
            Some((min, None)) => format!("{min} and up"),
            Some((min, Some(max))) => format!("{min} to {max}"),
            None => "others".to_owned(),
        };
        let levels: Vec<String> = self.tenant.levels(self.catalog).iter().map(u32::to_string).collect();
        let version = topic.release.map(|it| format!("version {}", it.version)).unwrap_or_default();
        let (of, tenant) = (&topic.of, &self.tenant.name);
        format!("{version}{of} asks for shells {asked}, those of tenant `{tenant}` are at {}", levels.join(", "))
    }

    fn breach(&self, topic: &Topic<'_>, breach: &Breach) -> String {
        let profile = &self.catalog.profiles[breach.profile.at()];
        let (name, of) = (&profile.name, &topic.of);
        let subject = self.subject(topic, breach.subject);
        let it = match of.is_empty() {
            true => "it".to_owned(),
            false => format!("that{of}"),
        };
        let Some(release) = topic.release else { return format!("profile `{name}` asks for `{}`", breach.rule.key()) };
        match breach.rule {
            Rule::MiniProgramDenied => format!("profile `{name}` denies program `{}`", self.app_id(topic.program)),
            Rule::MiniProgramNotAllowed => {
                format!("profile `{name}` does not allow program `{}`", self.app_id(topic.program))
            }
            Rule::PermissionDenied | Rule::EgressDenied => format!("profile `{name}` denies {subject}{of}"),
            Rule::PermissionNotAllowed | Rule::EgressNotAllowed => {
                format!("profile `{name}` does not allow {subject}{of}")
            }
            Rule::MaxClassification => {
                let highest = profile.max_classification.map_or("public", |(class, _)| classification(class));
                let class = classification(release.classification);
                format!("profile `{name}` lets data up to `{highest}` in, the data{of} is `{class}`")
            }
            Rule::Regions => {
                let regions = profile.regions.as_ref().map(|(it, _)| listed(it)).unwrap_or_default();
                format!("profile `{name}` asks for data in {regions}, the data{of} {subject}")
            }
            Rule::MinStatus => {
                let least = match profile.min_status {
                    Some((MinStatus::Online, _)) => "online",
                    Some((MinStatus::Approved, _)) | None => "approved",
                };
                let status = review_status(release.status);
                format!("profile `{name}` asks for review status `{least}`, {it} is `{status}`")
            }
            Rule::MinSoak => min_soak(profile, release, of),
            Rule::PinRequired => {
                format!("profile `{name}` lets only pinned programs in, the version{of} is not pinned")
            }
        }
    }

    fn subject(&self, topic: &Topic<'_>, subject: Subject) -> String {
        match (subject, topic.release) {
            (Subject::Permission(at), Some(it)) => format!("permission `{}`", it.req_permissions[at].name),
            (Subject::Host(at), Some(it)) => format!("host `{}`", it.egress[at]),
            (Subject::Region(at), Some(it)) => format!("is kept in `{}`", it.regions[at]),
            (Subject::NoRegion, _) => "names no region".to_owned(),
            (Subject::Version | Subject::Permission(_) | Subject::Host(_) | Subject::Region(_), _) => String::new(),
        }
    }
}

fn min_soak(profile: &Profile, release: &Release, of: &str) -> String {
    let name = &profile.name;
    match (profile.min_soak, release.since) {
        (Some((soak, _)), Some(since)) => {
            let end = since.plus(soak);
            format!("profile `{name}` asks for {soak} in review status, which the version{of} has on {end}")
        }
        (Some(_), None) | (None, _) => {
            format!("profile `{name}` asks for time in review status, and the version{of} says not since when")
        }
    }
}

fn listed(texts: &[String]) -> String {
    texts.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

fn tenant_status(status: TenantStatus) -> &'static str {
    match status {
        TenantStatus::Active => "active",
        TenantStatus::Suspended => "suspended",
        TenantStatus::Inactive => "inactive",
    }
}

fn review_status(status: ReviewStatus) -> &'static str {
    match status {
        ReviewStatus::Develop => "develop",
        ReviewStatus::Audit => "audit",
        ReviewStatus::Approved => "approved",
        ReviewStatus::Online => "online",
        ReviewStatus::Deprecated => "deprecated",
    }
}

fn classification(class: Classification) -> &'static str {
    match class {
        Classification::Public => "public",
        Classification::Internal => "internal",
        Classification::Confidential => "confidential",
        Classification::Restricted => "restricted",
    }
}
