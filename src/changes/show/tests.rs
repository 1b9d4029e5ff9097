//! Whatever authors write, and however much of it: no format is longer than it may be, left open, or obeyed.

use std::sync::Arc;

use proptest::prelude::*;

use super::{MARKER, Names, Styled, comment, course, document, page, text};
use crate::changes::facts::Told;
use crate::changes::guards::{Evidence, judge};
use crate::changes::kind::{Cause, Kind};
use crate::changes::{
    Change, ChangeSet, Course, Devices, Download, Failing, Levels, Moment, NewBundle, Of, Overlays, Revision, Scope,
    TenantChanges, Why, classes,
};
use crate::digest::Blake3;
use crate::explain::Fact;
use crate::input::RevocationBudget;
use crate::text::{FileId, Span};
use crate::time::Timestamp;

/// Texts that somebody would try, and any others.
fn hostile() -> impl Strategy<Value = String> {
    let tried = prop::sample::select(vec![
        "@everyone",
        "@acme/all",
        "</details>",
        "</code></summary><script>alert(1)</script>",
        "<!-- -->",
        "--> <img src=x onerror=alert(1)>",
        "`",
        "```",
        "a`b``c",
        "` @someone `",
        "|",
        "a|b\\|c",
        "\\",
        "[link](https://evil.example)",
        "![image](https://evil.example/x.png)",
        "https://evil.example/?a=1&b=2",
        "www.evil.example",
        "somebody@evil.example",
        "#1",
        "GH-1",
        "owner/repo#1",
        "\u{1b}[31mred\u{1b}[0m",
        "line\nbreak\r\n",
        "\u{202e}txt.exe",
        "\u{200b}",
        "\u{0}\u{7f}\u{85}\u{fffe}",
        "**bold** _it_ ~~no~~",
        "# title",
        "- [ ] task",
        "> quote",
        ":tada:",
        "$x^2$",
        "<details><summary>",
        "&lt;b&gt; &amp; &#64;x",
        "\"'",
        "",
        " ",
    ])
    .prop_map(str::to_owned);
    let long = (tried.clone(), 1_usize..400).prop_map(|(text, times)| text.repeat(times));
    prop_oneof![4 => tried, 1 => long, 2 => "\\PC{0,40}", 1 => any::<String>()]
}

fn change() -> impl Strategy<Value = Change> {
    let values = (prop::option::of(hostile()), prop::option::of(hostile()));
    let scope = prop_oneof![
        2 => Just(Scope::Whole),
        1 => (any::<u32>(), any::<Option<u32>>()).prop_map(|(min, max)| Scope::Shells(Levels { min, max })),
        1 => prop::collection::vec(hostile().prop_map(Arc::from), 0..5).prop_map(Scope::Programs),
    ];
    let why = (prop::sample::select(Cause::ALL), any::<bool>(), 0_u32..3);
    let about = (prop::option::of(hostile()), prop::option::of(hostile()));
    let devices = prop_oneof![
        4 => Just(Devices::ALL),
        1 => (0_u32..100, 1_u32..=100).prop_map(|(from, until)| Devices { from, until }),
    ];
    let parts = (prop::sample::select(Kind::ALL), about, values, scope, devices, why);
    parts.prop_map(|(kind, about, values, scope, devices, why)| Change {
        kind,
        program: about.0.map(Arc::from),
        item: about.1.map(Into::into),
        from: values.0.map(Into::into),
        to: values.1.map(Into::into),
        scope,
        devices,
        why: Why {
            cause: why.0,
            of: if why.1 { Of::Base } else { Of::Head },
            span: Span { file: FileId(why.2), start: 0, end: 1 },
        },
    })
}

fn tenant() -> impl Strategy<Value = TenantChanges> {
    let download =
        prop::option::of((any::<u32>(), 0_u64..1 << 50).prop_map(|(level, bytes)| Download { level, bytes }));
    (hostile(), hostile(), prop::collection::vec(change(), 1..5), download).prop_map(
        |(name, plan, mut changes, download)| {
            changes.sort();
            changes.dedup();
            TenantChanges {
                name: name.into(),
                tenant_id: "t".into(),
                plan: plan.into(),
                changes,
                stranded: Vec::new(),
                download,
                was: None,
                own: [Some(FileId(0)), Some(FileId(0))],
            }
        },
    )
}

fn change_set() -> impl Strategy<Value = (ChangeSet, Names)> {
    let told = prop::collection::vec((hostile(), hostile()), 0..4);
    let tenants = prop_oneof![
        4 => prop::collection::vec(tenant(), 0..8),
        1 => prop::collection::vec(tenant(), 0..60),
    ];
    (tenants, told, hostile(), hostile(), any::<u8>()).prop_map(|(tenants, told, base, head, of_base)| {
        let mut classes = classes(&tenants);
        for shape in classes.iter_mut().flat_map(|it| &mut it.shapes) {
            shape.told = told
                .iter()
                .map(|(text, place)| Told {
                    of: if of_base % 2 == 0 { Of::Base } else { Of::Head },
                    fact: Fact {
                        reason: "in_plan",
                        text: format!("plan `{text}` contains it: {text}"),
                        place: place.clone(),
                    },
                })
                .collect();
        }
        let now = Timestamp::parse("2026-11-23").expect("a date");
        let budget = RevocationBudget { percent: 1, at_least: 0 };
        let counts = [tenants.len(), tenants.len()];
        let evidence = Evidence { budgets: [budget; 2], tenants: counts, programs: 1, now, changes: &tenants };
        let revision = |count: usize| Revision { commit: None, digest: Blake3([0; 32]), tenants: count };
        let bundle = |name: &str| NewBundle {
            app_id: name.into(),
            code: 1,
            version: name.to_owned(),
            tree: Blake3([0; 32]),
            length: 9,
        };
        let moment = |at: &str| Moment {
            at: Timestamp::parse(at).expect("a date"),
            tenants: tenants.clone(),
            classes: classes.clone(),
            failing: vec![Failing { tenant: base.clone().into(), message: format!("`{head}` {base}") }],
        };
        let ahead = ["2026-11-24", "2026-11-25T06:00:00Z"].map(moment).into_iter().take(usize::from(of_base) % 3);
        let set = ChangeSet {
            ahead: ahead.collect(),
            at: now,
            base: revision(counts[0]),
            head: revision(counts[1]),
            guards: judge(&evidence, &[]),
            bundles: tenants.iter().map(|it| bundle(&it.name)).collect(),
            overlays: Overlays::default(),
            classes,
            tenants,
        };
        (set, Names { base, head, stores: Vec::new() })
    })
}

/// A line without its code spans, as CommonMark finds them: a run of backticks up to the next run of the same length.
fn outside_spans(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let run = |from: usize| characters[from..].iter().take_while(|it| **it == '`').count();
    let (mut out, mut at) = (String::new(), 0);
    while at < characters.len() {
        let length = run(at);
        if length == 0 {
            out.push(characters[at]);
            at += 1;
            continue;
        }
        let mut end = at + length;
        while end < characters.len() && run(end) != length {
            end += run(end).max(1);
        }
        assert!(end < characters.len(), "a span is left open in {line:?}");
        out.push('§');
        at = end + length;
    }
    out
}

/// What we write ourselves that is not plain words.
const OURS: [&str; 17] = [
    MARKER,
    course::MARKER,
    "#### ",
    "### ",
    "**",
    "> [!CAUTION]",
    "> [!WARNING]",
    "> ",
    "<br>",
    "&nbsp;",
    "|---|---:|---|---|",
    "<details><summary>",
    "</summary>",
    "</details>",
    "- ",
    "| ",
    " |",
];

fn is_tame(comment: &str) {
    for line in comment.lines() {
        // GitHub reads no markdown in a summary, so names stand there as HTML.
        let is_summary = line.starts_with("<details><summary>");
        let mut rest = if is_summary { line.to_owned() } else { outside_spans(line) };
        if is_summary {
            for tag in ["<code>", "</code>", "&lt;", "&gt;", "&amp;", "&quot;", "&#39;"] {
                rest = rest.replace(tag, "");
            }
        }
        OURS.iter().for_each(|it| rest = rest.replace(it, ""));
        let tame = |it: char| it.is_alphanumeric() || " '\".,;:?()-–→·%/+=§−▲!↻✓✕…".contains(it);
        if !is_summary {
            assert!(rest.chars().all(tame), "{rest:?} in {line:?}");
            let lower = rest.to_lowercase();
            assert!(!["://", "www.", "gh-"].iter().any(|it| lower.contains(it)), "{line:?}");
        } else {
            assert!(!rest.contains(['<', '>']), "{line:?}");
        }
        assert!(!line.chars().any(|it| it.is_control() || ('\u{202a}'..='\u{202e}').contains(&it)), "{line:?}");
    }
    let count = |text: &str| comment.lines().filter(|it| it.starts_with(text)).count();
    assert_eq!(count("<details>"), comment.lines().filter(|it| *it == "</details>").count(), "folds are balanced");
    let rows = comment.lines().filter(|it| it.starts_with("| "));
    rows.for_each(|it| assert_eq!(outside_spans(it).matches('|').count(), 5, "{it:?}"));
    assert!(
        comment.lines().filter(|it| it.starts_with("| ")).all(|it| it.matches('|').count() == 5),
        "no bar in a cell"
    );
}

/// The tags of a page, each closed in its turn; text holds no stray mark.
fn is_well_formed(page: &str) {
    let body = page.strip_prefix("<!DOCTYPE html>\n").expect("a document type");
    let mut open: Vec<&str> = Vec::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{before:?}");
        before.split('&').skip(1).for_each(|it| {
            let entity = it.split(';').next().expect("a first part");
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "{it:?}");
        });
        let (tag, next) = after.split_once('>').expect("a tag ends");
        assert!(!tag.contains('<'), "{tag:?}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "closed in its turn"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().expect("a name")),
        }
        rest = next;
    }
    assert_eq!(open, Vec::<&str>::new());
    assert!(!page.chars().any(|it| (it.is_control() && it != '\n') || matches!(it, '\u{fffe}' | '\u{ffff}')));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    #[test]
    fn a_comment_never_exceeds_its_budget_and_is_never_obeyed((set, names) in change_set(), budget in prop_oneof![0_usize..3_000, 0_usize..70_000]) {
        let comment = comment(&set, &names, budget);
        prop_assert!(comment.chars().count() <= budget, "{} > {budget}", comment.chars().count());
        is_tame(&comment);
        if budget >= 1_000 {
            prop_assert!(comment.starts_with(MARKER));
            let folds = comment.lines().filter(|it| *it == "</details>").count();
            let says = comment.contains("the JSON plan has everything");
            prop_assert!(folds == set.classes.len() || says, "what is cut is counted");
        }
    }

    #[test]
    fn so_is_the_comment_of_a_simulation((set, names) in change_set(), budget in prop_oneof![0_usize..3_000, 0_usize..70_000]) {
        let course = Course { first: set.at, last: set.at, tenants: 9, moments: set.ahead };
        let comment = course::comment(&course, &names.head, &|_| Some("noon".into()), budget);
        prop_assert!(comment.chars().count() <= budget, "{} > {budget}", comment.chars().count());
        is_tame(&comment);
        let plain = course::text(&course, &names.head, &|_| None, Styled::Plain);
        prop_assert!(!plain.chars().any(|it| it.is_control() && it != '\n'));
        let rows = comment.lines().filter(|it| it.starts_with("| ") && !it.starts_with("| |")).count();
        let classes: usize = course.moments.iter().map(|it| it.classes.len()).sum();
        prop_assert!(budget < 1_000 || rows == classes || comment.contains("are not shown"), "what is cut is counted");
    }

    #[test]
    fn a_page_is_well_formed((set, names) in change_set()) {
        is_well_formed(&page(&set, &names));
    }

    #[test]
    fn a_terminal_gets_no_escape_that_is_not_ours((set, names) in change_set()) {
        let plain = text(&set, &names, Styled::Plain);
        prop_assert!(!plain.chars().any(|it| it.is_control() && it != '\n'));
        let turns = plain.contains(['\u{202e}', '\u{200b}']);
        prop_assert!(!turns);
        let coloured = text(&set, &names, Styled::Coloured);
        for code in coloured.split('\u{1b}').skip(1) {
            let known = ["[1m", "[1;31m", "[1;33m", "[1;32m", "[2m", "[0m"];
            prop_assert!(known.iter().any(|it| code.starts_with(it)), "{code:?}");
        }
    }

    #[test]
    fn the_json_plan_names_everybody((set, names) in change_set()) {
        let document = document(&set, &names);
        let text = document.to_string();
        let back: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        prop_assert_eq!(back["tenants"].as_array().map(Vec::len), Some(set.tenants.len()));
        prop_assert_eq!(back["classes"].as_array().map(Vec::len), Some(set.classes.len()));
        prop_assert_eq!(back, document);
    }
}
