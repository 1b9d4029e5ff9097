//! `tenantry rollback`

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::args::RollbackArguments;
use super::interrupt::Interrupt;
use super::publish::report::Reporter;
use super::resign::{Keys, Run, each_store, is_machine, not_signed};
use super::settings::Settings;
use super::stores::{self, Opened};
use super::{Exit, Failure, output};
use crate::model::Project;
use crate::publish::base::Base;
use crate::publish::guards::Consent;
use crate::publish::head::Kind;
use crate::publish::rollback::{self, Change, Earlier, NoWay, Removed, Way};
use crate::publish::{Others, Report, Tools, refresh};

/// How many tenants or objects are named to people.
const SHOWN: usize = 10;

pub(super) fn run(settings: &Settings, arguments: &RollbackArguments) -> Result<(), Failure> {
    let reporter = Reporter::new(settings, arguments.format);
    let outcome = rollback(settings, arguments, &reporter);
    if let Err(failure) = &outcome {
        reporter.stopped(failure);
    }
    outcome
}

fn rollback(settings: &Settings, arguments: &RollbackArguments, reporter: &Reporter<'_>) -> Result<(), Failure> {
    let now = settings.now(arguments.at.as_deref())?;
    let project = settings.project_file()?;
    let stores = stores::open(settings, &project, &arguments.store)?;
    let keys = Keys::read(settings, &arguments.keys, &project, now)?;
    if !keys.sign_entitlements() && !arguments.dry_run {
        return Err(Failure::new(Exit::World, "there is no entitlement key here")
            .help("put `entitlement-*.pem` under `keys/`, or set `TENANTRY_ENTITLEMENT_KEY`"));
    }
    let run = Run {
        settings,
        now,
        by: settings.who(),
        interrupt: Interrupt::watch(),
        reporter,
        kind: Kind::Rollback,
        reason: arguments.reason.clone(),
        consent: Consent { allowances: arguments.allow.clone(), reviewed: None },
        others: match arguments.take_over {
            true => Others::TakeOver,
            false => Others::Respect,
        },
        clocks: settings.clocks(arguments.at.as_deref()),
    };
    let elsewhere = match arguments.restore_removed {
        true => all_indexes(settings, &project)?,
        false => BTreeMap::new(),
    };
    let rollback = Rollback { run, project: &project, keys: &keys, elsewhere, arguments };
    // All of them are looked at before anything is done to the first.
    let mut objections = Vec::new();
    for store in &stores {
        let tools = store.tools(&|_| ());
        let (base, earlier, way) = rollback.way(store, &tools)?;
        rollback.show(&store.spec.name, &way);
        objections.push(rollback::objections(&earlier, &base, &way, now));
    }
    for found in &objections {
        rollback.run.consent.overrides(found)?;
    }
    if arguments.dry_run {
        return Ok(());
    }
    each_store(&stores, reporter, |store| rollback.store(store))?;
    output::talk(&format!(
        "the project itself still says what it said: revert it in git too{}. The next compile with `--onto` and `publish` goes forward to what the project says",
        "; until then do not publish"
    ));
    Ok(())
}

/// The addresses of the tenants that each store of the project has, whichever of them go back.
fn all_indexes(settings: &Settings, project: &Project) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let mut all = BTreeMap::new();
    for store in stores::open(settings, project, &[])? {
        let name = &store.spec.name;
        let base = Base::read(&store.tools(&|_| ()), store.spec)
            .map_err(|error| Failure::from(error).within(&format!("store `{name}`")))?;
        all.insert(name.clone(), base.index.into_iter().flat_map(|it| it.tenants.into_keys()).collect());
    }
    Ok(all)
}

struct Rollback<'a> {
    run: Run<'a>,
    project: &'a Project,
    keys: &'a Keys,
    /// Tenants by store, where those that were removed may come back.
    elsewhere: BTreeMap<String, BTreeSet<String>>,
    arguments: &'a RollbackArguments,
}

impl Rollback<'_> {
    /// Where the store stands, where it stood, and what lies between. Makes sure that there is a way.
    fn way<'b>(&self, store: &'b Opened<'b>, tools: &Tools<'b>) -> Result<(Base<'b>, Earlier, Way), Failure> {
        let name = &store.spec.name;
        let base = self.run.base(store, tools)?;
        let earlier = Earlier::find(tools, &base, self.arguments.to).map_err(|error| no_way(name, error))?;
        let Some(today) = &base.index else {
            return Err(Failure::new(Exit::Usage, format!("{name}: nothing was published yet")));
        };
        let others = self.elsewhere.iter().filter(|(other, _)| *other != name);
        let elsewhere: BTreeSet<String> = others.flat_map(|(_, addresses)| addresses.iter().cloned()).collect();
        let removed = match self.arguments.restore_removed {
            true => Removed::ComeBack { elsewhere: &elsewhere },
            false => Removed::StayAway,
        };
        let way = rollback::way(&earlier, today, store.spec, removed, self.run.now);
        let missing = rollback::missing(tools, &earlier, &way).map_err(|error| no_way(name, error.into()))?;
        match missing.as_slice() {
            [] => Ok((base, earlier, way)),
            [first, ..] => {
                for key in missing.iter().take(SHOWN) {
                    output::talk(&format!("{key}: it is missing"));
                }
                let message = format!(
                    "store `{name}` no longer holds {} of publication {}, such as `{first}`",
                    output::counted(missing.len(), "object"),
                    self.arguments.to
                );
                Err(Failure::new(Exit::Guard, message)
                    .help("revert the project in git, compile with `--onto`, and publish that"))
            }
        }
    }

    fn show(&self, name: &str, way: &Way) {
        if let [first, ..] = way.revived.as_slice() {
            output::warning(&format!(
                "store `{name}`: {} that {} no program today, suspended perhaps, {} some again, such as `{first}`",
                output::counted(way.revived.len(), "tenant"),
                if way.revived.len() == 1 { "has" } else { "have" },
                if way.revived.len() == 1 { "gets" } else { "get" },
            ));
        }
        if let [first, ..] = way.passed.as_slice() {
            output::warning(&format!(
                "store `{name}`: what {} had then has changed by itself since, such as that of `{}` at {}: shells go by the dates in it",
                output::counted(way.passed.len(), "tenant"),
                first.tenant,
                first.at
            ));
        }
        if is_machine(self.arguments.format) {
            return output::json_line(&json!({ "event": "way", "store": name, "way": way }));
        }
        let mut text = format!(
            "{name}: back to what publication {} of {} said{}: {}, {} as they are\n",
            way.to,
            way.at,
            way.commit.as_ref().map_or_else(String::new, |it| format!(" (commit {it})")),
            match way.changes.len() {
                1 => "1 tenant changes".to_owned(),
                many => format!("{many} tenants change"),
            },
            way.same,
        );
        for Change { tenant, programs, then, .. } in way.changes.iter().take(SHOWN) {
            text += &match programs {
                Some(programs) => format!("  tenant `{tenant}`: {then} programs (today {programs})\n"),
                None => format!("  tenant `{tenant}`: {then} programs (removed since, comes back)\n"),
            };
        }
        text += &more(way.changes.len());
        for (names, what) in [
            (&way.added, "was added since, and stays as it is"),
            (&way.removed, "was removed since, and stays away; see `--restore-removed`"),
        ] {
            for name in names.iter().take(SHOWN) {
                text += &format!("  tenant `{name}` {what}\n");
            }
            text += &more(names.len());
        }
        output::result(&text);
    }

    fn store(&self, store: &Opened<'_>) -> Result<Option<Report>, Failure> {
        let name = &store.spec.name;
        let progress = |event| self.run.reporter.event(name, event);
        let tools = store.tools(&progress);
        let (base, earlier, way) = self.way(store, &tools)?;
        let Some(today) = &base.index else { return Ok(None) };
        if way.changes.is_empty() {
            output::talk(&format!("{name}: nothing has changed since publication {}", way.to));
            return self.run.finish(store, today.publication).map(Some);
        }
        let signing = self.keys.signing(self.project, self.run.now);
        refresh::guard(&signing, &base).map_err(|error| super::resign::failed(name, error))?;
        let number = base.head.next_number();
        let signed =
            rollback::sign(&signing, &tools, &earlier, today, &way, number).map_err(|error| not_signed(name, error))?;
        match signed {
            Ok(back) => self.run.publish(store, &base, &back.index, &back.files).map(Some),
            Err(findings) => {
                for finding in findings.iter().take(SHOWN) {
                    output::talk(&format!("{}: {}", finding.key, finding.problem));
                }
                let message = format!(
                    "store `{name}`: what publication {} was cannot be signed again: {}",
                    way.to,
                    output::counted(findings.len(), "finding")
                );
                Err(Failure::new(Exit::Refused, message).help(
                    "if keys were changed since, revert the project in git, compile and publish; otherwise find out who wrote there",
                ))
            }
        }
    }
}

fn more(count: usize) -> String {
    match count.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("  … and {more} more\n"),
    }
}

fn no_way(store: &str, error: NoWay) -> Failure {
    let exit = match error {
        NoWay::State(error) => return Failure::from(error).within(&format!("store `{store}`")),
        NoWay::Unknown { .. } | NoWay::Current { .. } => Exit::Usage,
        NoWay::Collected { .. } => Exit::Guard,
    };
    let help = matches!(error, NoWay::Collected { .. })
        .then(|| "revert the project in git, compile with `--onto`, and publish that".to_owned());
    Failure::of(exit, &error, help)
}
