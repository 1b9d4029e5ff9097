//! One page that stands by itself: no script, no other file, well-formed also as XML.

use crate::changes::guards::Outcome;
use crate::changes::show::words::{Piece, Sentence, found, quoted, reasons, what, who};
use crate::changes::show::{Names, Summary, course, heading, most_downloaded, sign, size, uploads};
use crate::changes::{ChangeSet, Class, TenantChanges};
use crate::report::harmless;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--loss:#c62828;--held:#b26a00;--gain:#2e7d32;--update:#1565c0}\
@media(prefers-color-scheme:dark){:root{--loss:#ff8a80;--held:#ffcc80;--gain:#a5d6a7;--update:#90caf9}}\
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
code{font:0.9em ui-monospace,monospace;background:#8882;padding:0 .25em;border-radius:3px;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.35rem .6rem;text-align:left;vertical-align:top}\
td.number{text-align:right;font-variant-numeric:tabular-nums}details{border:1px solid var(--line);border-radius:6px;margin:.6rem 0;padding:.4rem .8rem}\
summary{cursor:pointer;font-weight:600}.loss,.stopped{color:var(--loss)}.held,.growth,.allowed{color:var(--held)}.gain,.passed{color:var(--gain)}.update{color:var(--update)}\
.sum{font-size:1.15em;font-weight:600}.tenants{column-width:16rem;margin:.4rem 0}";

/// The page.
pub fn page(set: &ChangeSet, names: &Names) -> String {
    let (base, head) = (escaped(&names.base), escaped(&names.head));
    let mut out = format!(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>tenantry plan: {base} → {head}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    );
    out += &format!("<h1>tenantry plan: <code>{base}</code> → <code>{head}</code></h1>\n");
    out += &format!("<p class=\"sum\">{}</p>\n", escaped(&Summary::of(set).line()));
    let download = most_downloaded(set).map(|(tenant, it)| {
        let tenant = escaped(tenant);
        format!("; a device downloads {} at most (<code>{tenant}</code>, shells {})", size(it.bytes), it.level)
    });
    out += &format!("<p>{}{}. Decided at {}.</p>\n", uploads(set), download.unwrap_or_default(), set.at);
    Summary::of(set).growth_line().into_iter().for_each(|it| out += &format!("<p>{}</p>\n", escaped(&it)));
    out += &guards(set);
    out += &ahead(set);
    if !set.classes.is_empty() {
        out += "<h2>Changes</h2>\n";
    }
    set.classes.iter().for_each(|class| out += &fold(&set.tenants, class));
    out += &bundles(set);
    out + "</body>\n</html>\n"
}

fn guards(set: &ChangeSet) -> String {
    let mut out = String::from("<h2>Guards</h2>\n<table>\n<tbody>\n");
    for verdict in &set.guards {
        let outcome = match verdict.outcome {
            Outcome::Passed => "passed",
            Outcome::Allowed => "allowed",
            Outcome::Stopped => "stopped",
        };
        let help = match verdict.outcome {
            Outcome::Stopped => format!("<br/>{}", inline(&quoted(&verdict.help()))),
            Outcome::Passed | Outcome::Allowed => String::new(),
        };
        out += &format!(
            "<tr><td class=\"{outcome}\">{outcome}</td><td><code>{}</code></td><td>{}{help}</td></tr>\n",
            verdict.guard.slug(),
            inline(&[quoted(&verdict.message()), found(verdict)].concat()),
        );
    }
    out + "</tbody>\n</table>\n"
}

fn ahead(set: &ChangeSet) -> String {
    if set.ahead.is_empty() {
        return String::new();
    }
    let mut out = format!("<h2>By itself, within seven days</h2>\n<p>{}</p>\n", course::ahead_line(&set.ahead));
    for moment in &set.ahead {
        out += &format!("<h3>{}</h3>\n", course::spelled(moment.at, &|_| None));
        moment.classes.iter().for_each(|class| out += &fold(&moment.tenants, class));
        for it in &moment.failing {
            let (tenant, message) = (escaped(&it.tenant), inline(&quoted(&it.message)));
            out += &format!("<p class=\"stopped\"><code>{tenant}</code> can no longer be compiled: {message}</p>\n");
        }
    }
    out
}

fn fold(all: &[TenantChanges], class: &Class) -> String {
    let (sign, heading) = (sign(class.weight()), heading(class.weight()));
    let mut out = format!(
        "<details open=\"open\">\n<summary><span class=\"{heading}\">{sign} {heading}</span>: {}</summary>\n<ul>\n",
        inline(&who(all, class))
    );
    what(class, usize::MAX).iter().for_each(|it| out += &format!("<li>{}</li>\n", inline(it)));
    out += "</ul>\n";
    let reasons: Vec<String> = reasons(class).iter().map(inline).collect();
    if !reasons.is_empty() {
        out += &format!("<p>Because, for <code>{}</code>:</p>\n<ul>\n", escaped(&all[class.tenants[0]].name));
        reasons.iter().for_each(|it| out += &format!("<li>{it}</li>\n"));
        out += "</ul>\n";
    }
    let tenant = |at: &usize| {
        let it = &all[*at];
        let download = it.download.map(|it| format!(" {}, shells {}", size(it.bytes), it.level)).unwrap_or_default();
        format!("<li><code>{}</code>{download}</li>\n", escaped(&it.name))
    };
    let tenants: String = class.tenants.iter().map(tenant).collect();
    out += &format!(
        "<details>\n<summary>Tenants, and what a device downloads at most</summary>\n<ul class=\"tenants\">\n{tenants}</ul>\n</details>\n"
    );
    out + "</details>\n"
}

fn bundles(set: &ChangeSet) -> String {
    if set.bundles.is_empty() {
        return String::new();
    }
    let row = |it: &crate::changes::NewBundle| {
        let (app_id, version) = (escaped(&it.app_id), escaped(&it.version));
        format!(
            "<tr><td><code>{app_id}</code></td><td>{version}</td><td class=\"number\">{}</td></tr>\n",
            size(it.length)
        )
    };
    let rows: String = set.bundles.iter().map(row).collect();
    format!("<h2>Bundles to upload</h2>\n<table>\n<tbody>\n{rows}</tbody>\n</table>\n")
}

fn inline(sentence: &Sentence) -> String {
    let piece = |it: &Piece| match it {
        Piece::Words(text) => escaped(text),
        Piece::Name(text) => format!("<code>{}</code>", escaped(text)),
    };
    sentence.iter().map(piece).collect()
}

/// Any text as text of HTML or XML, and as a value between double quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in harmless(text).chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            other => out.push(other),
        }
    }
    out
}
