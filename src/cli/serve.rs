//! `tenantry serve`

mod browser;
mod reporting;
mod watching;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use serde_json::json;

use super::args::{
    CompileArguments, ExpiredArgument, FormatArgument, InputArguments, KeysFolderArgument, KindArgument,
    OfflineArgument, PlainFormat, ServeArguments, StaleArgument,
};
use super::compile;
use super::output;
use super::settings::Settings;
use super::stores;
use super::{Exit, Failure};
use crate::index::{Index, keys};
use crate::input::KeySources;
use crate::metadata::DEVELOPMENT;
use crate::pipeline;
use crate::serve::{
    Answered, Forger, Kind, Listing, Log, Mischief, Offline, OldRole, Server, Site, Stale, Staleness, watch,
};
use crate::sign::keystore::{self, KeyFolder};
use crate::store::dir::Directory;
use crate::store::{MAX_OBJECT, Store};
use crate::write::OutDir;
use watching::Watcher;

pub(super) fn run(settings: &Settings, arguments: &ServeArguments) -> Result<(), Failure> {
    let served = Served::new(settings, arguments)?;
    let place = served.describe();
    let seen = watch::fingerprint(&settings.project);
    if arguments.development {
        keystore::development(&KeyFolder::new(settings.development_keys()), settings.now(arguments.at.as_deref())?)?;
    }
    if let Served::Out(folder) = &served {
        prepare(settings, arguments, folder)?;
    }
    let folder = served.folder().map(Path::to_owned);
    let site = Arc::new(site(settings, arguments, served)?);
    site.look().map_err(|error| Failure::of(Exit::World, &error, None))?;
    let address = SocketAddr::new(arguments.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), arguments.port);
    let cannot_listen = |error: std::io::Error| {
        Failure::new(Exit::World, format!("cannot listen on {address}: {error}"))
            .help("name another port with `--port`; 0 is any that is free")
    };
    let running = Server::bind(address).and_then(|it| it.start(Arc::clone(&site))).map_err(cannot_listen)?;
    if arguments.host.is_some_and(|it| !it.is_loopback()) {
        output::warning(&format!(
            "served to everybody who can reach {}; whoever knows an address reads what is there.",
            running.address()
        ));
    }
    let interrupts = running
        .interrupts()
        .map_err(|error| Failure::new(Exit::World, format!("cannot wait for a signal: {error}")))?;
    say(arguments, &place, &site, running.address());
    if arguments.open {
        let port = running.address().port();
        browser::open("the shell", &format!("http://shell.localhost:{port}/shell/"));
        if site.report.is_some() {
            browser::open("the report", &format!("http://localhost:{port}/report/"));
        }
    }
    let (stop, stopped) = mpsc::channel();
    thread::scope(|scope| {
        if let (Some(folder), true) = (&folder, is_watched(settings, arguments)) {
            let arguments = compile_arguments(settings, arguments, folder);
            let watcher = Watcher { settings, arguments, site: &site, seen };
            scope.spawn(move || watcher.watch(&stopped));
        }
        running.until_interrupted(interrupts, || std::process::exit(Exit::Interrupted as i32));
        // A compile that is under way comes to its end.
        drop(stop);
    });
    drop(running);
    if let Some(folder) = &folder {
        OutDir::forget_kept(folder)?;
    }
    Ok(())
}

/// What is served.
enum Served {
    /// What is compiled here.
    Out(PathBuf),
    /// What was published.
    Store(Box<dyn Store>),
}

impl Served {
    fn new(settings: &Settings, arguments: &ServeArguments) -> Result<Served, Failure> {
        let Some(name) = &arguments.store else {
            let out = match (&arguments.out, arguments.development) {
                (None, true) => settings.development_out(),
                (out, _) => settings.out(out.as_deref()),
            };
            return Ok(Served::Out(out));
        };
        let project = pipeline::project(&settings.tree(&input(arguments))?).0;
        let mut opened = stores::open(settings, &project, std::slice::from_ref(name))?;
        match (opened.pop(), opened.is_empty()) {
            (Some(it), true) => Ok(Served::Store(it.store)),
            _ => Err(Failure::new(Exit::Usage, "one store is served at a time").help("name one of them")),
        }
    }

    /// The folder that is compiled into; none where that is not our business.
    fn folder(&self) -> Option<&Path> {
        match self {
            Served::Out(folder) => Some(folder),
            Served::Store(_) => None,
        }
    }

    fn describe(&self) -> String {
        match self {
            Served::Out(folder) => folder.display().to_string(),
            Served::Store(store) => store.describe(),
        }
    }
}

/// Whether `out/` follows the project. A folder that was copied here has no project beside it.
fn is_watched(settings: &Settings, arguments: &ServeArguments) -> bool {
    !arguments.no_watch && arguments.store.is_none() && watch::has_inputs(&settings.project)
}

/// Compiles before anything is served: to be up to date, or to have anything at all. An error stops us only where
/// there is no earlier publication to go on with.
fn prepare(settings: &Settings, arguments: &ServeArguments, folder: &Path) -> Result<(), Failure> {
    OutDir::forget_kept(folder)?;
    let is_there = Directory::new(folder).get(&keys::root(1), MAX_OBJECT).is_ok_and(|it| it.is_some());
    if is_there && !is_watched(settings, arguments) {
        return Ok(());
    }
    let compile = compile_arguments(settings, arguments, folder);
    let compiled = watching::compile(settings, &compile, watching::Say::Everything);
    match compiled {
        Err(failure) if is_there && failure.exit() != Exit::Usage => {
            failure.say();
            output::talk("serving the publication that is there");
            Ok(())
        }
        Err(failure) => Err(failure),
        Ok(()) => Ok(()),
    }
}

fn input(arguments: &ServeArguments) -> InputArguments {
    InputArguments { rev: None, at: arguments.at.clone() }
}

/// The folder of keys that was named; none where the project's own, or those to throw away, will do.
fn keys_folder(settings: &Settings, arguments: &ServeArguments) -> KeysFolderArgument {
    let keys = match arguments.development {
        true => Some(settings.development_keys()),
        false => arguments.keys.keys.clone(),
    };
    KeysFolderArgument { keys }
}

fn compile_arguments(settings: &Settings, arguments: &ServeArguments, folder: &Path) -> CompileArguments {
    CompileArguments {
        input: input(arguments),
        out: Some(folder.to_owned()),
        keys: keys_folder(settings, arguments),
        onto: Vec::new(),
        format: FormatArgument::Human,
    }
}

fn site(settings: &Settings, arguments: &ServeArguments, served: Served) -> Result<Site, Failure> {
    let report = match &served {
        Served::Out(folder) if is_watched(settings, arguments) => Some(reporting::report(settings, arguments, folder)),
        Served::Out(_) | Served::Store(_) => None,
    };
    let (stores, listing): (Vec<Box<dyn Store>>, Listing) = match served {
        Served::Store(store) => (vec![store], Listing::Never),
        // What the newest publication no longer needs, for those who are half-way through an older one.
        Served::Out(folder) => {
            let listing = match arguments.host {
                None => Listing::Development,
                Some(_) => Listing::Never,
            };
            let kept = OutDir::kept(&folder);
            (vec![Box::new(Directory::new(folder)), Box::new(Directory::new(kept))], listing)
        }
    };
    let log: Log = Box::new(|it: &Answered<'_>| {
        output::talk(&format!("{} {} {} {}", it.method, it.path, it.status, output::bytes(it.length)));
    });
    let expired = match arguments.expired {
        Some(old) => Some(forger(settings, arguments, &stores, old)?),
        None => None,
    };
    let mischief = Mischief {
        stale: arguments.stale.map(|it| Stale::new(it.into())),
        offline: arguments.offline.map(Offline::from),
        expired,
        slow: arguments.slow,
        truncate: kinds(&arguments.truncate),
        tamper: kinds(&arguments.tamper),
    };
    Ok(Site { stores, listing, mischief, log: arguments.log.then_some(log), report })
}

/// Signs expired copies with the keys that signed what is served. No shell in production may ever see one.
fn forger(
    settings: &Settings,
    arguments: &ServeArguments,
    stores: &[Box<dyn Store>],
    old: ExpiredArgument,
) -> Result<Forger, Failure> {
    let now = settings.now(arguments.at.as_deref())?;
    let named = keys_folder(settings, arguments);
    let folder = KeyFolder::new(settings.keys(&named));
    let (folder, roots) = compile::roots(settings, folder, named.keys.is_some(), now)?;
    let newest = &roots.last().expect("a chain of roots is never empty").root;
    if newest.tenantry.environment != DEVELOPMENT {
        let message =
            format!("`--expired` signs, and the keys are of the environment `{}`", newest.tenantry.environment);
        return Err(Failure::new(Exit::Guard, message).help("serve with throw-away keys: `--development`"));
    }
    let first = stores.iter().find_map(|it| it.get(&keys::root(1), MAX_OBJECT).ok().flatten());
    if first.is_none_or(|it| it.bytes != roots[0].bytes) {
        let message = format!(
            "`--expired` needs the keys that signed what is served, and `{}` has others",
            folder.path().display()
        );
        return Err(Failure::new(Exit::Usage, message).help("name them with `--keys`"));
    }
    let signers = folder.signers(newest, &KeySources::default())?;
    Ok(Forger::new(signers, old.into(), now))
}

fn kinds(arguments: &[KindArgument]) -> BTreeSet<Kind> {
    arguments.iter().map(|it| Kind::from(*it)).collect()
}

/// The one line, or the one document, that whoever started us waits for.
fn say(arguments: &ServeArguments, place: &str, site: &Site, address: SocketAddr) {
    let url = format!("http://{address}");
    match arguments.format {
        PlainFormat::Human => output::result(&format!("{url}\n")),
        PlainFormat::Json => output::json(&json!({ "url": url, "out": place, "tenants": tenants(site) })),
    }
}

/// Name and address of every tenant, as the index beside what is served remembers them. A publication without it, in
/// a store or copied, has addresses only.
fn tenants(site: &Site) -> Vec<serde_json::Value> {
    let Some(store) = site.stores.first() else { return Vec::new() };
    let index = store.get("state/index.json", MAX_OBJECT).ok().flatten();
    if let Some(index) = index.and_then(|it| Index::parse(&it.bytes).ok()) {
        return index.tenants.iter().map(|(addr, it)| json!({ "addr": addr, "name": it.name })).collect();
    }
    let mut found = Vec::new();
    let listed = store.list("t/", &mut |page| {
        let addrs = page.iter().filter_map(|it| it.key.strip_prefix("t/")?.strip_suffix("/timestamp.json"));
        found.extend(addrs.map(|addr| json!({ "addr": addr, "name": null })));
    });
    // A place that cannot be listed has nothing to say; requests will say what is wrong with it.
    listed.map(|()| found).unwrap_or_default()
}

impl From<StaleArgument> for Staleness {
    fn from(argument: StaleArgument) -> Staleness {
        match argument {
            StaleArgument::Alternate => Staleness::Alternate,
            StaleArgument::Start => Staleness::Start,
        }
    }
}

impl From<OfflineArgument> for Offline {
    fn from(argument: OfflineArgument) -> Offline {
        match argument {
            OfflineArgument::Refused => Offline::Refused,
            OfflineArgument::Unavailable => Offline::Unavailable,
        }
    }
}

impl From<ExpiredArgument> for OldRole {
    fn from(argument: ExpiredArgument) -> OldRole {
        match argument {
            ExpiredArgument::Timestamp => OldRole::Timestamp,
            ExpiredArgument::Snapshot => OldRole::Snapshot,
            ExpiredArgument::Targets => OldRole::Targets,
        }
    }
}

impl From<KindArgument> for Kind {
    fn from(argument: KindArgument) -> Kind {
        match argument {
            KindArgument::Root => Kind::Root,
            KindArgument::Timestamp => Kind::Timestamp,
            KindArgument::Snapshot => Kind::Snapshot,
            KindArgument::Targets => Kind::Targets,
            KindArgument::Manifest => Kind::Manifest,
            KindArgument::Bundle => Kind::Bundle,
        }
    }
}
