//! A project at one commit, decided for one instant, and what a publication makes of it but for dates and signatures.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use super::super::compile::{COMPILER, basis_from_nothing, inputs_of};
use super::super::{Checked, Decided, check, is_sound};
use crate::bundle::Bundles;
use crate::compose::{Composed, Composer};
use crate::diag::Diagnostic;
use crate::digest::Blake3;
use crate::first_start;
use crate::index::{Archive, Index, TenantRecord};
use crate::load::SourceTree;
use crate::manifest::{Frame, Source};
use crate::time::Timestamp;

/// A project, decided.
#[derive(Debug)]
pub struct Decision {
    /// Its files.
    pub tree: SourceTree,
    /// What they say.
    pub checked: Checked,
    /// Every tenant's line-up, in the order of [`Checked::tenants`].
    pub decided: Vec<Decided>,
    /// The instant.
    pub now: Timestamp,
    /// Positions by public identifier; looked into, never walked over.
    positions: HashMap<Box<str>, usize>,
    basis: OnceLock<Blake3>,
}

impl Decision {
    /// Reads, checks and decides. Gives back what is wrong when the project has errors.
    pub fn new(tree: SourceTree, now: Timestamp) -> Result<Decision, (SourceTree, Vec<Diagnostic>)> {
        let (mut checked, decided) = check(&tree, now);
        if !is_sound(&checked.diagnostics) {
            return Err((tree, std::mem::take(&mut checked.diagnostics)));
        }
        let positions = checked.tenants.iter().enumerate();
        let positions = positions.map(|(at, it)| (Box::from(&*it.tenant.tenant_id), at)).collect();
        Ok(Decision { tree, checked, decided, now, positions, basis: OnceLock::new() })
    }

    /// The position of a tenant, by its public identifier.
    pub fn find(&self, tenant_id: &str) -> Option<usize> {
        self.positions.get(tenant_id).copied()
    }

    /// A tenant's manifest, ready to be dated. An archive that a publication knows is named as it knows it: nobody
    /// packs again what was packed once.
    pub fn composed(&self, at: usize, index: &Index, record: &TenantRecord) -> Composed {
        let known = |tree: Blake3| record.overlays.get(&tree).or_else(|| index.bundles.get(&tree)).copied();
        let decided = &self.decided[at];
        let programs = self.checked.catalog.programs.iter();
        let mut bundles: Bundles = programs.map(|it| vec![None; it.releases.len()]).collect();
        for included in decided.resolution.line_ups().flat_map(|it| &it.included) {
            for chosen in &included.releases {
                let (program, release) = (included.program.at(), chosen.release);
                let tree = self.tree_of(program, release);
                let archive = known(tree).unwrap_or_else(|| self.archive_of(program, release));
                bundles[program][release] = Some((tree, archive));
            }
        }
        let composer = Composer::new(&self.checked.project, &self.checked.catalog, &bundles);
        let mut resolution = Cow::Borrowed(&decided.resolution);
        // It was filled with archives as they are packed now.
        if let Some(most) = self.checked.project.fills() {
            first_start::fill(most, &first_start::packed(&bundles), resolution.to_mut(), &decided.rendered);
        }
        composer.tenant(&self.checked.tenants[at].tenant, &resolution, &decided.rendered)
    }

    /// Every version that some tenant has, by program and release.
    pub fn wanted(&self) -> impl Iterator<Item = (usize, usize)> {
        let line_ups = self.decided.iter().flat_map(|it| it.resolution.line_ups());
        let included = line_ups.flat_map(|it| &it.included);
        let all = included.flat_map(|it| it.releases.iter().map(|chosen| (it.program.at(), chosen.release)));
        all.collect::<BTreeSet<_>>().into_iter()
    }

    /// Digest of a version's files.
    pub fn tree_of(&self, program: usize, release: usize) -> Blake3 {
        self.checked.tree(program, release)
    }

    /// A version's files as this compiler packs them.
    pub fn archive_of(&self, program: usize, release: usize) -> Archive {
        self.checked.archive(program, release)
    }

    /// What a compile of this commit would write down as the source of a tenant.
    pub fn source(&self, at: usize, environment: &str) -> Source {
        let basis = self.basis.get_or_init(|| basis_from_nothing(&self.tree, environment));
        let inputs_digest = inputs_of(*basis, self.checked.tenants[at].document);
        Source { commit: self.tree.commit.clone(), compiler: COMPILER.into(), inputs_digest }
    }
}

/// A manifest, dated as a publication dated it.
pub fn manifest(composed: &Composed, index: &Index, addr: &str, record: &TenantRecord, source: &Source) -> Vec<u8> {
    composed.body.write(&Frame {
        addr,
        environment: &index.environment,
        expires: record.targets.expires,
        issued: record.targets.issued,
        publication: record.targets.version,
        source,
        tenant_id: &record.tenant_id,
    })
}

/// The instant at which a publication was compiled: it is written down with whatever was signed then. None when it
/// signed nothing.
pub fn instant(index: &Index) -> Option<Timestamp> {
    let files = index.tenants.values().flat_map(|it| [it.targets, it.snapshot, it.timestamp]);
    files.filter(|it| it.version == index.publication).map(|it| it.issued).max()
}
