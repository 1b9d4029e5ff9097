//! The stores of a project, opened: the one place from which commands get them.

use super::settings::Settings;
use super::{Exit, Failure, output};
use crate::input::{Publishers, StoreSpec};
use crate::model::Project;
use crate::publish::{AT_ONCE, Event, Tools};
use crate::store::probe::{self, Publishing};
use crate::store::s3::Login;
use crate::store::{Patience, Store, open};

/// Stands for every store of the project.
const ALL: &str = "all";

/// A store with what the project says about it.
pub(crate) struct Opened<'a> {
    pub(crate) spec: &'a StoreSpec,
    pub(crate) store: Box<dyn Store>,
}

impl Opened<'_> {
    /// What works on it.
    pub(crate) fn tools<'a>(&'a self, progress: &'a (dyn Fn(Event) + Sync)) -> Tools<'a> {
        Tools { store: self.store.as_ref(), patience: Patience::NORMAL, at_once: AT_ONCE, progress }
    }

    /// What keeps two publishers apart. A store whose conditions do not hold is refused, unless the project says that
    /// something else does.
    pub(crate) fn guard(&self) -> Result<Publishers, Failure> {
        let trusted = match self.spec.publishers {
            Publishers::Conditional => match probe::conditions(self.store.as_ref(), Patience::NORMAL) {
                Ok(Publishing::Safe) => return Ok(Publishers::Conditional),
                Ok(Publishing::Unsafe(why)) => {
                    let message = format!("store `{}` does not keep two publishers apart: {why}", self.spec.name);
                    return Err(Failure::new(Exit::Guard, message).help(
                        "`tenantry doctor` says more; if a lock outside lets only one publisher run at a time, say `publishers: locked` in `tenantry.yaml`",
                    ));
                }
                Err(error) => return Err(Failure::from(error).within(&self.store.describe())),
            },
            trusted => trusted,
        };
        output::warning(&match trusted {
            Publishers::Locked => {
                format!("store `{}` relies on a lock outside to keep two publishers apart", self.spec.name)
            }
            _ => format!("store `{}` relies on there being one publisher only", self.spec.name),
        });
        Ok(trusted)
    }
}

/// Opens the stores with these names, in the order of `tenantry.yaml`; all of them when none is named.
pub(crate) fn open<'a>(
    settings: &Settings,
    project: &'a Project,
    names: &[String],
) -> Result<Vec<Opened<'a>>, Failure> {
    let known: Vec<&str> = project.stores.iter().map(|it| it.name.as_str()).collect();
    if known.is_empty() {
        return Err(Failure::new(Exit::Usage, "no store is named in `tenantry.yaml`").help(
            "add one under `spec.stores`, such as `- { name: local, directory: public }`; see docs/publishing.md",
        ));
    }
    let is_all = names.is_empty() || names.iter().any(|it| it == ALL);
    if let Some(unknown) = names.iter().find(|it| !known.contains(&it.as_str()) && *it != ALL) {
        let message = format!("there is no store `{unknown}` in `tenantry.yaml`");
        return Err(Failure::new(Exit::Usage, message).help(format!("its stores are `{}`", known.join("`, `"))));
    }
    let wanted = project.stores.iter().filter(|it| is_all || names.contains(&it.name));
    wanted.map(|spec| Ok(Opened { spec, store: open::open(spec, &settings.project, &Login::Chain)? })).collect()
}
