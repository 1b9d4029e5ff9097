//! One version follows another, or itself in another form: everything in which the two differ for the tenant.

use crate::changes::downloads::Fetch;
use crate::changes::kind::{Cause, Kind};
use crate::changes::programs::{Line, fetch};
use crate::changes::stays::Stay;
use crate::changes::{Change, Levels, settings, word};
use crate::input::Permission;
use crate::manifest;
use crate::manifest::Face;
use crate::model::Release;
use crate::text::Span;

/// Versions of one mini-program that follow one another on some shells, or two forms of one version.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) before: Form<'a>,
    pub(super) after: Form<'a>,
}

/// A version as one side has it.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    /// As the catalogue says it.
    pub(super) release: &'a Release,
    /// As the manifest says it.
    pub(super) said: &'a manifest::Release<'a>,
    /// What it says of itself, whether the manifest repeats it or not.
    pub(super) face: &'a Face<'a>,
}

/// The region of data that is kept wherever one likes.
const EVERYWHERE: &str = "everywhere";

/// How something comes to a release from the one before it.
pub(super) fn cause(before: &Release, after: &Release) -> Cause {
    match before.code == after.code {
        true => Cause::VersionEdited,
        false => Cause::VersionChanged,
    }
}

impl Step<'_> {
    /// What a device fetches that had the version before.
    pub(super) fn fetch(&self, head: Line<'_>, to: usize, levels: Levels, fetches: &mut Vec<Fetch>) {
        let before = self.before.said;
        let mut all = Vec::with_capacity(2);
        fetch(self.after.said, head, to, levels, &mut all);
        let had = [Some(before.bundle.blake3), before.overlay.as_ref().map(|it| it.blake3)];
        fetches.extend(all.into_iter().filter(|it| !had.contains(&Some(it.tree))));
    }

    /// What else differs between the two. Their parts are taken apart field by field, so that none is forgotten.
    pub(super) fn facts(&self, stay: &Stay<'_>, found: &mut Vec<Change>) {
        let (before, after) = (self.before.release, self.after.release);
        let is_edited = before.code == after.code;
        let mut say = |kind: Kind, item: &str, span: Span, from: Option<String>, to: Option<String>| {
            let change = Change::new(kind, stay.head.why(cause(before, after), span)).program(stay.app_id);
            found.push(change.maybe_item(item).values(from.as_ref(), to.as_ref()));
        };
        let manifest::Release { bundle, face: _, overlay, platform_version, version } = self.before.said;
        let manifest::PlatformVersion { max_code: _, min_code: _, target_code } = platform_version;
        let next = self.after.said;
        if is_edited && version.name != next.version.name {
            let (from, to) = (version.name.clone(), next.version.name.clone());
            say(Kind::Presentation, "version.name", after.version_span, Some(from), Some(to));
        }
        if is_edited && bundle.blake3 != next.bundle.blake3 {
            say(Kind::Contents, "", after.package.span, None, None);
        }
        if *target_code != next.platform_version.target_code {
            let (from, to) = (target_code.to_string(), next.platform_version.target_code.to_string());
            say(Kind::Presentation, "platform_version.target_code", after.platform_span, Some(from), Some(to));
        }
        let Face { egress, ext, icons, name, pages, req_permissions, update_policy, window } = self.before.face;
        let other = self.after.face;
        let lists =
            [("icons", *icons != other.icons), ("pages", *pages != other.pages), ("window", *window != other.window)];
        for (item, _) in lists.into_iter().filter(|(_, differs)| *differs) {
            say(Kind::Presentation, item, after.version_span, None, None);
        }
        if *name != other.name {
            let (from, to) = (name.to_string(), other.name.to_string());
            say(Kind::Presentation, "name", after.version_span, Some(from), Some(to));
        }
        if *update_policy != other.update_policy {
            let (from, to) = (policy(update_policy), policy(&other.update_policy));
            say(Kind::UpdatePolicy, "", after.version_span, Some(from), Some(to));
        }
        let tree = |it: &Option<manifest::File>| it.as_ref().map(|it| it.blake3);
        if tree(overlay) != tree(&next.overlay) {
            found.push(Change::new(Kind::Overlay, settings::overlay_why(self, stay)).program(stay.app_id));
        }
        if *req_permissions != other.req_permissions {
            self.permissions(stay, found);
        }
        if *egress != other.egress {
            self.hosts(stay, found);
        }
        if *ext != other.ext {
            settings::compare(self, stay, found);
        }
        self.data(stay, found);
    }

    /// Permissions that are asked for more, and no longer; and whether the others are said in another way.
    fn permissions(&self, stay: &Stay<'_>, found: &mut Vec<Change>) {
        let (before, after) = (self.before.release, self.after.release);
        let has =
            |release: &Release, it: &Permission| release.req_permissions.iter().any(|other| other.name == it.name);
        let named = |release: &Release| -> Vec<(String, Span)> {
            let names = release.req_permissions.iter().map(|it| it.name.clone());
            names.zip(release.permission_spans.iter().copied()).collect()
        };
        let kinds = (Kind::PermissionAdded, Kind::PermissionRemoved);
        self.come_and_go(stay, kinds, &named(before), &named(after), found);
        let kept = before.req_permissions.iter().filter(|it| has(after, it));
        if !kept.eq(after.req_permissions.iter().filter(|it| has(before, it))) {
            let why = stay.head.why(cause(before, after), after.version_span);
            found.push(Change::new(Kind::Presentation, why).program(stay.app_id).item("req_permissions"));
        }
    }

    fn hosts(&self, stay: &Stay<'_>, found: &mut Vec<Change>) {
        let (before, after) = (self.before.release, self.after.release);
        let named = |release: &Release| -> Vec<(String, Span)> {
            release.egress.iter().cloned().zip(release.egress_spans.iter().copied()).collect()
        };
        self.come_and_go(stay, (Kind::EgressAdded, Kind::EgressRemoved), &named(before), &named(after), found);
        let kept = before.egress.iter().filter(|it| after.egress.contains(it));
        if !kept.eq(after.egress.iter().filter(|it| before.egress.contains(it))) {
            let why = stay.head.why(cause(before, after), after.version_span);
            found.push(Change::new(Kind::Presentation, why).program(stay.app_id).item("egress"));
        }
    }

    fn come_and_go(
        &self,
        stay: &Stay<'_>,
        (added, removed): (Kind, Kind),
        old: &[(String, Span)],
        new: &[(String, Span)],
        found: &mut Vec<Change>,
    ) {
        let cause = cause(self.before.release, self.after.release);
        let lacks = |list: &[(String, Span)], name: &str| list.iter().all(|(it, _)| it != name);
        for (name, span) in new.iter().filter(|(it, _)| lacks(old, it)) {
            found.push(Change::new(added, stay.head.why(cause, *span)).program(stay.app_id).item(name));
        }
        for (name, span) in old.iter().filter(|(it, _)| lacks(new, it)) {
            found.push(Change::new(removed, stay.base.why(cause, *span)).program(stay.app_id).item(name));
        }
    }

    /// What no manifest says and whoever answers for data must know.
    fn data(&self, stay: &Stay<'_>, found: &mut Vec<Change>) {
        let (before, after) = (self.before.release, self.after.release);
        let why = stay.head.why(cause(before, after), after.data_span);
        if before.classification != after.classification {
            let kind = match before.classification < after.classification {
                true => Kind::DataClassRaised,
                false => Kind::DataClassLowered,
            };
            let change = Change::new(kind, why).program(stay.app_id);
            found.push(change.from(&word(&before.classification)).to(&word(&after.classification)));
        }
        let (old, new) = (regions(before), regions(after));
        let added = new.iter().filter(|it| !old.contains(it)).map(|it| (Kind::DataRegionAdded, it));
        let removed = old.iter().filter(|it| !new.contains(it)).map(|it| (Kind::DataRegionRemoved, it));
        found.extend(added.chain(removed).map(|(kind, it)| Change::new(kind, why).program(stay.app_id).item(it)));
    }
}

/// Where a version keeps data. None named means that none is excluded.
fn regions(release: &Release) -> Vec<&str> {
    match &release.regions[..] {
        [] => vec![EVERYWHERE],
        regions => regions.iter().map(|it| &**it).collect(),
    }
}

fn policy(it: &manifest::Update) -> String {
    match it.min_usable_version {
        Some(code) => format!("{}, codes from {code} on", word(&it.mode)),
        None => word(&it.mode),
    }
}
