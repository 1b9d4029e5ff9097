//! What first starts take once everything is signed.
//!
//! What the archives alone take is known before anything is signed, and a project that allows less has been refused by
//! then. The signed files can only be counted afterwards: a tenant that goes over the budget by these stops the compile
//! before a timestamp is written, so `out/` goes on showing what it showed.

use super::super::first_start::{check_packed, fill, over};
use super::super::{Checked, Decided, ReadTenant};
use super::Job;
use super::incremental::Read;
use crate::bundle::Bundles;
use crate::diag::Diagnostic;
use crate::first_start::{self, Over, Size, Spread};
use crate::index::{Cost, TenantRecord};
use crate::model::Project;
use crate::text::{FileId, Span};

/// What a device fetches of the chain of roots.
pub(super) fn roots(job: &Job<'_>) -> Cost {
    first_start::roots(job.roots.iter().map(|it| it.bytes.len() as u64))
}

/// The middle and the worst of all tenants.
pub(super) fn spread<'a>(records: impl Iterator<Item = &'a TenantRecord>, roots: Cost) -> Option<Spread> {
    let known = records.filter_map(|it| Some((&*it.name, first_start::whole(it, roots)?.bytes)));
    first_start::spread(known)
}

/// Decides what is preloaded, and says who needs too much for that alone.
pub(super) fn settle(
    project: &Project,
    checked: &Checked,
    decided: &mut [Decided],
    bundles: &Bundles,
) -> Option<Diagnostic> {
    let size = first_start::packed(bundles);
    fill(project, decided, &size);
    check_packed(project, &checked.catalog, &checked.tenants, decided, &size)
}

/// The project's budget, and who exceeds it.
pub(super) struct Allowed<'a> {
    budget: Option<(u64, Span)>,
    job: &'a Job<'a>,
    roots: Cost,
    over: Vec<TenantRecord>,
}

impl<'a> Allowed<'a> {
    pub(super) fn new(project: &Project, job: &'a Job<'a>) -> Allowed<'a> {
        let budget = project.first_start.map(|(it, span)| (it.max_bytes, span));
        Allowed { budget, job, roots: roots(job), over: Vec::new() }
    }

    /// Looks at one tenant.
    pub(super) fn look(&mut self, record: &TenantRecord) {
        let start = first_start::whole(record, self.roots);
        if self.budget.zip(start).is_some_and(|((most, _), it)| it.bytes > most) {
            self.over.push(record.clone());
        }
    }

    pub(super) fn is_exceeded(&self) -> bool {
        !self.over.is_empty()
    }

    /// Says who needs too much; none when nobody does.
    pub(super) fn exceeded(&self, read: &Read<'_>, decided: &[Decided], bundles: &Bundles) -> Option<Diagnostic> {
        let (most, span) = self.budget.filter(|_| self.is_exceeded())?;
        let size = first_start::packed(bundles);
        let tell = |record| self.tell(record, read, decided, &size);
        Some(first_start::exceeded(most, span, self.over.iter().map(tell).collect()))
    }

    fn tell<'b>(&self, record: &'b TenantRecord, read: &'b Read<'_>, decided: &[Decided], size: Size<'_>) -> Over<'b> {
        let signed = Some(first_start::signed(record, self.roots).bytes);
        let tenants = &read.checked.tenants;
        match tenants.binary_search_by_key(&&*record.name, |it: &ReadTenant| &it.tenant.name) {
            Ok(at) => Over { signed, ..over(&read.checked.catalog, &tenants[at], &decided[at], size) },
            // It was left alone, so what it has was not read.
            Err(_) => {
                let file = self.job.tree.find(&record.file).map_or(FileId(0), |(id, _)| id);
                let span = Span { file, start: 0, end: 0 };
                let archives = record.preloaded.unwrap_or_default().bytes;
                Over { tenant: &record.name, span, archives, signed, programs: Vec::new() }
            }
        }
    }
}
