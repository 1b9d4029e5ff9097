//! What changes by itself, for terminals, pull requests and machines: by instants, and in each by classes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::changes::show::human::{self, Paint};
use crate::changes::show::markdown::{Page, code, plain, row, table};
use crate::changes::show::words::{reasons, what, who};
use crate::changes::show::{heading, json as machine, number, sign, tenants};
use crate::changes::{Class, Course, Failing, Moment, TenantChanges, Weight};
use crate::report::{Styled, harmless};
use crate::time::Timestamp;

/// What a bot finds its own comment by, to edit it in place.
pub(super) const MARKER: &str = "<!-- tenantry:simulate -->";

/// Version of the JSON document's format; fields are only added within one.
const FORMAT: u32 = 1;

/// Most classes that a plan names of what comes by itself.
const AHEAD_NAMED: usize = 12;

/// How instants are spelled besides UTC, where somebody wants that.
pub type Local<'a> = &'a dyn Fn(Timestamp) -> Option<String>;

/// An instant as people read it: midnight is a date.
pub(super) fn spelled(at: Timestamp, local: Local<'_>) -> String {
    let text = at.to_string();
    let utc = text.strip_suffix("T00:00:00Z").map(str::to_owned).unwrap_or(text);
    match local(at) {
        Some(local) => format!("{utc} ({local})"),
        None => utc,
    }
}

/// From when to when. A day that is looked at to its end is a date.
fn span(course: &Course) -> String {
    let last = course.last.to_string();
    let last = last.strip_suffix("T23:59:59Z").unwrap_or(&last);
    format!("{} to {last}", spelled(course.first, &|_| None))
}

/// For a terminal.
pub fn text(course: &Course, name: &str, local: Local<'_>, styled: Styled) -> String {
    let paint = Paint(styled);
    let mut out = paint.bold(&format!("{}, {}", harmless(name), span(course)));
    for moment in &course.moments {
        out += &format!("\n{}", moment_text(moment, local, &paint));
    }
    out.push('\n');
    out + &paint.bold(&line(course))
}

/// One instant, for a terminal.
pub(super) fn moment_text(moment: &Moment, local: Local<'_>, paint: &Paint) -> String {
    let mut out = paint.bold(&spelled(moment.at, local));
    moment.classes.iter().for_each(|it| out += &human::class_text(&moment.tenants, it, paint));
    for Failing { tenant, message } in &moment.failing {
        out += &format!("✕ `{}` can no longer be compiled: {}\n", harmless(tenant), harmless(message));
    }
    out
}

/// Everything in one line.
pub(super) fn line(course: &Course) -> String {
    let all = tenants(course.tenants);
    let changed: BTreeSet<&str> = course.moments.iter().flat_map(|it| &it.tenants).map(|it| &*it.tenant_id).collect();
    let losing: BTreeSet<&str> = losing(course).collect();
    let failing = course.moments.iter().map(|it| it.failing.len()).sum::<usize>();
    if course.moments.is_empty() {
        let stay = if course.tenants == 1 { "stays as it is" } else { "stay as they are" };
        return format!("Nothing changes by itself. {all} {stay}.");
    }
    let verb = if changed.len() == 1 { "changes by itself" } else { "change by themselves" };
    let instants = match course.moments.len() {
        1 => "1 instant".to_owned(),
        many => format!("{} instants", number(many)),
    };
    let mut line =
        format!("{} of {} {verb}, at {instants}; {} lose something.", number(changed.len()), all, number(losing.len()));
    if failing > 0 {
        line += &format!(" {} can no longer be compiled.", tenants(failing));
    }
    line
}

fn losing(course: &Course) -> impl Iterator<Item = &str> {
    let is_loss = |it: &&TenantChanges| it.changes.iter().any(|it| it.kind.weight() == Weight::Loss);
    course.moments.iter().flat_map(|it| &it.tenants).filter(is_loss).map(|it| &*it.tenant_id)
}

/// A comment, of at most `budget` characters.
pub fn comment(course: &Course, name: &str, local: Local<'_>, budget: usize) -> String {
    let mut page = Page::new(budget);
    page.add(&format!("{MARKER}\n"));
    page.add(&format!("### tenantry simulate · {} · {}\n\n", code(name), span(course)));
    page.add(&format!("**{}**\n", line(course)));
    let mut unseen = 0;
    for moment in &course.moments {
        let rows =
            table(&format!("\n#### {}\n", spelled(moment.at, local)), &moment.tenants, &moment.classes, &mut page);
        unseen += moment.classes.len() - rows;
        for Failing { tenant, message } in &moment.failing {
            page.add(&format!("\n✕ {} can no longer be compiled: {}\n", code(tenant), plain(message)));
        }
    }
    page.close(unseen, 0)
}

/// The whole course as JSON.
pub fn document(course: &Course, project: &Value, local: Local<'_>) -> Value {
    let changed: BTreeSet<&str> = course.moments.iter().flat_map(|it| &it.tenants).map(|it| &*it.tenant_id).collect();
    let losing: BTreeSet<&str> = losing(course).collect();
    json!({
        "format": FORMAT,
        "compiler": concat!("tenantry ", env!("CARGO_PKG_VERSION")),
        "project": project,
        "first": course.first,
        "last": course.last,
        "summary": {
            "text": line(course),
            "tenants": course.tenants,
            "changed": changed.len(),
            "lose": losing.len(),
        },
        "moments": course.moments.iter().map(|it| moment(it, local)).collect::<Vec<Value>>(),
    })
}

/// One instant as JSON.
pub(super) fn moment(moment: &Moment, local: Local<'_>) -> Value {
    let tenants = moment
        .tenants
        .iter()
        .map(|it| json!({ "tenant": it.name, "tenant_id": it.tenant_id, "plan": &*it.plan, "stranded": it.stranded }));
    let failing = moment.failing.iter().map(|it| json!({ "tenant": it.tenant, "message": it.message }));
    let mut value = json!({
        "at": moment.at,
        "classes": moment.classes.iter().map(|it| machine::class(&moment.tenants, it)).collect::<Vec<Value>>(),
        "tenants": tenants.collect::<Vec<Value>>(),
        "failing": failing.collect::<Vec<Value>>(),
    });
    if let Some(local) = local(moment.at) {
        value["local"] = json!(local);
    }
    value
}

/// What a plan says of the days after it, as a quotation of a comment; and the same in one line.
pub(super) fn ahead(moments: &[Moment]) -> [String; 2] {
    let classes: usize = moments.iter().map(|it| it.classes.len()).sum();
    let failing: usize = moments.iter().map(|it| it.failing.len()).sum();
    let short = format!("\n> [!WARNING]\n> **By itself, within seven days:** {}", ahead_line(moments));
    let mut full = short.clone() + "\n";
    let all = moments.iter().flat_map(|moment| moment.classes.iter().map(move |class| (moment, class)));
    all.take(AHEAD_NAMED).for_each(|(moment, class)| full += &format!("> - {}\n", ahead_row(moment, class)));
    for (at, it) in moments.iter().flat_map(|it| it.failing.iter().map(|one| (it.at, one))).take(AHEAD_NAMED) {
        let (at, tenant) = (spelled(at, &|_| None), code(&it.tenant));
        full += &format!("> - {at} · ✕ {tenant} can no longer be compiled: {}\n", plain(&it.message));
    }
    let left = classes.saturating_sub(AHEAD_NAMED) + failing.saturating_sub(AHEAD_NAMED);
    if left > 0 {
        full += &format!("> - and {} more; `tenantry simulate` shows them\n", number(left));
    }
    [full, short + " `tenantry simulate` shows it.\n"]
}

fn ahead_row(moment: &Moment, class: &Class) -> String {
    let what: Vec<String> = what(class, 4).iter().take(3).map(row).collect();
    let because = reasons(class).first().map(|it| format!(" ({})", row(it))).unwrap_or_default();
    let (at, who) = (spelled(moment.at, &|_| None), row(&who(&moment.tenants, class)));
    format!("{at} · {} {} · {who}: {}{because}", sign(class.weight()), heading(class.weight()), what.join("; "))
}

/// What comes by itself, in numbers.
pub(super) fn ahead_line(moments: &[Moment]) -> String {
    let changed: BTreeSet<&str> = moments.iter().flat_map(|it| &it.tenants).map(|it| &*it.tenant_id).collect();
    let failing: usize = moments.iter().map(|it| it.failing.len()).sum();
    let verb = if changed.len() == 1 { "changes" } else { "change" };
    let broken = match failing {
        0 => String::new(),
        count => format!("; {} can no longer be compiled", tenants(count)),
    };
    format!("{} {verb}{broken}.", tenants(changed.len()))
}
