//! From what stands in `tenantry.yaml` to a store.

use std::path::Path;

use super::dir::Directory;
use super::s3::{ConnectError, Login, S3Store};
use super::{ETag, Fetched, Listed, Served, Store, StoreError, Upload};
use crate::input::{S3Spec, StateSpec, StoreSpec};

/// What the keys of a store's private part begin with.
const STATE: &str = "state/";

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It names no place, or two.
    #[error("store `{name}` has neither a `directory` nor an `s3`, or both")]
    NoPlace {
        /// Which store.
        name: String,
    },
    /// A bucket that there is no client for.
    #[error("cannot open store `{name}`")]
    Connect {
        /// Which store.
        name: String,
        /// Why.
        #[source]
        source: ConnectError,
    },
}

impl OpenError {
    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        match self {
            OpenError::NoPlace { .. } => Some("give it one of the two in `tenantry.yaml`"),
            OpenError::Connect { source, .. } => source.help(),
        }
    }
}

/// Opens a store; sends nothing to it yet. Directories are looked for from the project's folder.
pub fn open(spec: &StoreSpec, project: &Path, login: &Login) -> Result<Box<dyn Store>, OpenError> {
    let public = place(&spec.name, spec.directory.as_deref(), spec.s3.as_ref(), project, login)?;
    let private = match &spec.state {
        Some(StateSpec { directory, s3 }) => {
            Some(place(&spec.name, directory.as_deref(), s3.as_ref(), project, login)?)
        }
        None => None,
    };
    Ok(Box::new(Named { name: spec.name.clone(), public, private }))
}

fn place(
    name: &str,
    directory: Option<&str>,
    s3: Option<&S3Spec>,
    project: &Path,
    login: &Login,
) -> Result<Box<dyn Store>, OpenError> {
    match (directory, s3) {
        (Some(directory), None) => Ok(Box::new(Directory::new(project.join(directory)))),
        (None, Some(s3)) => match S3Store::connect(s3, login) {
            Ok(store) => Ok(Box::new(store)),
            Err(source) => Err(OpenError::Connect { name: name.into(), source }),
        },
        (None, None) | (Some(_), Some(_)) => Err(OpenError::NoPlace { name: name.into() }),
    }
}

/// A store under its name, with what is private in a place of its own, if it has one.
struct Named {
    name: String,
    public: Box<dyn Store>,
    private: Option<Box<dyn Store>>,
}

impl Named {
    fn home(&self, key: &str) -> &dyn Store {
        match &self.private {
            Some(private) if key.starts_with(STATE) => private.as_ref(),
            _ => self.public.as_ref(),
        }
    }
}

impl Store for Named {
    fn describe(&self) -> String {
        match &self.private {
            Some(private) => format!("{} ({}; private: {})", self.name, self.public.describe(), private.describe()),
            None => format!("{} ({})", self.name, self.public.describe()),
        }
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.home(key).get(key, max)
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.home(key).head(key)
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        self.home(upload.key).put(upload)
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        match &self.private {
            Some(private) if prefix.starts_with(STATE) => private.list(prefix, each),
            // Both have something: what is private comes in between, where its keys belong.
            Some(private) if STATE.starts_with(prefix) => {
                let mut behind = Vec::new();
                self.public.list(prefix, &mut |mut page| {
                    // What may lie below `state/` in public is nothing of ours.
                    page.retain(|it| !it.key.starts_with(STATE));
                    let split = page.partition_point(|it| it.key.as_str() < STATE);
                    behind.extend(page.split_off(split));
                    if !page.is_empty() {
                        each(page);
                    }
                })?;
                private.list(STATE, each)?;
                if !behind.is_empty() {
                    each(behind);
                }
                Ok(())
            }
            _ => self.public.list(prefix, each),
        }
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        let Some(private) = &self.private else { return self.public.delete(keys) };
        let (inside, outside): (Vec<String>, Vec<String>) = keys.iter().cloned().partition(|it| it.starts_with(STATE));
        self.public.delete(&outside)?;
        private.delete(&inside)
    }

    fn keeps_state_apart(&self) -> bool {
        self.private.is_some()
    }

    fn served(&self, key: &str) -> Result<Option<Served>, StoreError> {
        self.home(key).served(key)
    }
}
