//! `tenantry log`

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::{LogArguments, PlainFormat};
use super::audit::{Committed, whose};
use super::settings::Settings;
use super::stores::{self, Opened};
use super::{Failure, output};
use crate::publish::log::{self, Entry, Forgotten, Moves};
use crate::report::harmless;

/// How many tenants are named to people; machines get all.
const SHOWN: usize = 5;

pub(super) fn run(settings: &Settings, arguments: &LogArguments) -> Result<(), Failure> {
    let project = settings.project_file()?;
    let opened = stores::open(settings, &project, &arguments.store)?;
    let mut commits = BTreeMap::new();
    let mut all = Vec::new();
    for store in &opened {
        let one = of_store(settings, arguments, store, &mut commits);
        all.push(one.map_err(|error| error.within(&format!("store `{}`", store.spec.name)))?);
    }
    match arguments.format {
        PlainFormat::Human => all.iter().for_each(|it| output::result(&it.text())),
        PlainFormat::Json => output::json(&serde_json::json!({ "stores": all })),
    }
    Ok(())
}

/// One store, as it is printed for machines.
pub(super) fn one(
    settings: &Settings,
    arguments: &LogArguments,
    store: &Opened<'_>,
) -> Result<serde_json::Value, Failure> {
    let found = of_store(settings, arguments, store, &mut BTreeMap::new())?;
    Ok(serde_json::to_value(found).expect("results have only text keys"))
}

fn of_store(
    settings: &Settings,
    arguments: &LogArguments,
    store: &Opened<'_>,
    commits: &mut BTreeMap<String, Committed>,
) -> Result<OfStore, Failure> {
    let tools = store.tools(&|_| ());
    let head = tools.state().head()?.head;
    let mut entries = log::entries(&head);
    let earlier = entries.len().saturating_sub(arguments.limit);
    entries.truncate(arguments.limit);
    let mut publications = Vec::with_capacity(entries.len());
    for entry in entries {
        let changes = match arguments.changes {
            true => Some(Changes::from(log::moves(&tools, &head, entry.publication)?)),
            false => None,
        };
        let source = entry.commit.as_ref().map(|id| match commits.get(id) {
            Some(known) => known.clone(),
            None => commits.entry(id.clone()).or_insert(whose(settings, id)).clone(),
        });
        publications.push(Publication { entry, source, changes });
    }
    Ok(OfStore { store: store.spec.name.clone(), publications, earlier })
}

/// The publications of one store.
#[derive(Serialize)]
struct OfStore {
    store: String,
    /// Newest first.
    publications: Vec<Publication>,
    /// How many more the store remembers.
    earlier: usize,
}

#[derive(Serialize)]
struct Publication {
    #[serde(flatten)]
    entry: Entry,
    /// What git knows of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Committed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
}

/// What a publication moved, or why that is not known.
#[derive(Serialize)]
#[serde(untagged)]
enum Changes {
    Known(Moves),
    Unknown { unknown: Forgotten },
}

impl From<Result<Moves, Forgotten>> for Changes {
    fn from(found: Result<Moves, Forgotten>) -> Changes {
        match found {
            Ok(moves) => Changes::Known(moves),
            Err(unknown) => Changes::Unknown { unknown },
        }
    }
}

impl OfStore {
    fn text(&self) -> String {
        let mut text = match self.publications.is_empty() {
            true => format!("{}: nothing was published\n", self.store),
            false => format!("{}:\n", self.store),
        };
        for it in &self.publications {
            text += &it.text();
        }
        if self.earlier > 0 {
            text += &format!("  … and {} earlier; see `--limit`\n", self.earlier);
        }
        text
    }
}

impl Publication {
    fn text(&self) -> String {
        let entry = &self.entry;
        let state = match (entry.is_current, entry.is_finished) {
            (true, true) => ", current",
            (true, false) => ", current, not every timestamp is moved yet",
            (false, _) => "",
        };
        let mut text = format!(
            "  publication {} · {} · {} by {}{state}\n",
            entry.publication,
            entry.at,
            entry.kind.as_str(),
            harmless(&entry.by)
        );
        match (&entry.commit, &self.source) {
            (Some(_), Some(source)) => source.lines("    ", &mut text),
            _ => text += "    from a working directory: no commit\n",
        }
        if let Some(reason) = &entry.reason {
            text += &format!("    reason: {}\n", harmless(reason));
        }
        for it in &entry.overrides {
            let found = output::counted(it.number, "tenant");
            let (guard, limit) = (harmless(&it.guard), it.limit);
            text += &format!("    guard overridden: {guard}, which found {found} and lets {limit} pass\n");
        }
        if let Some(changes) = &self.changes {
            text += &format!("    {}\n", changes.text());
        }
        text
    }
}

impl Changes {
    fn text(&self) -> String {
        match self {
            Changes::Known(moves) => {
                let mut parts = vec![output::counted(moves.tenants, "tenant")];
                for (names, what) in
                    [(&moves.added, "added"), (&moves.removed, "removed"), (&moves.changed, "with other content")]
                {
                    if !names.is_empty() {
                        parts.push(format!("{} {what} ({})", names.len(), named(names)));
                    }
                }
                if moves.signed_again > 0 {
                    parts.push(format!("{} signed again", moves.signed_again));
                }
                parts.join(", ")
            }
            Changes::Unknown { unknown: Forgotten::Collected } => {
                "what it moved is no longer known: `tenantry gc` has taken its index".into()
            }
            Changes::Unknown { unknown: Forgotten::PreviousCollected } => {
                "what it moved is no longer known: `tenantry gc` has taken the index before it".into()
            }
            Changes::Unknown { unknown: Forgotten::Oldest } => {
                "what it moved is not known: the store remembers none before it".into()
            }
        }
    }
}

fn named(names: &[String]) -> String {
    let mut text = names.iter().take(SHOWN).map(|it| harmless(it)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += ", …";
    }
    text
}
