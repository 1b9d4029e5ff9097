//! Templates: their sources, their targets, their syntax. Rendering uses the same environment, so what parses here
//! parses there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::Environment;
use minijinja::Error;
use minijinja::UndefinedBehavior;

use crate::check::lower::Place;
use crate::check::packages::above;
use crate::diag;
use crate::diag::{Code, Diagnostic};
use crate::input::MiniProgramSpec;
use crate::load::{Content, SourceTree};
use crate::model::Template;
use crate::parse::node::{Data, Node};
use crate::path::{BundlePath, RepoPath};
use crate::text::{FileId, Span};

/// The environment of every template: strict about what is undefined, without a loader, so that no template can reach
/// another file.
pub fn environment<'source>() -> Environment<'source> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// Parses a template without rendering it.
pub fn parse(name: &str, text: &str) -> Result<(), Error> {
    // Most defaults are plain texts, and making an environment is the larger part of the work.
    match text.contains("{{") || text.contains("{%") || text.contains("{#") {
        true => environment().template_from_named_str(name, text).map(|_| ()),
        false => Ok(()),
    }
}

/// The place of a line, from one, without the white space around it; the last line when there are fewer.
pub fn line(file: FileId, text: &str, line: usize) -> Span {
    let mut start = 0;
    let mut span = Span { file, start: 0, end: 0 };
    for (index, full) in text.split_inclusive('\n').enumerate() {
        let (trimmed, front) = (full.trim(), full.len() - full.trim_start().len());
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        span = Span { file, start: byte(start + front), end: byte(start + front + trimmed.len()) };
        if index + 1 == line {
            break;
        }
        start += full.len();
    }
    span
}

/// Reads the templates of a version, and parses those and the defaults under `ext`.
pub(super) fn read(
    tree: &SourceTree,
    own: &RepoPath,
    spec: &MiniProgramSpec,
    files: Option<&BTreeMap<BundlePath, Arc<[u8]>>>,
    at: Place<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Template> {
    let folded: BTreeSet<String> = files.into_iter().flat_map(BTreeMap::keys).map(BundlePath::folded).collect();
    let mut templates = Vec::with_capacity(spec.templates.len());
    for (index, written) in spec.templates.iter().enumerate() {
        let at = at.key("templates").item(index);
        let target = target(&written.path, &folded, at.key("path").span(), found);
        let source = source(tree, own, &written.src, at.key("src").span(), found);
        if let (Some(path), Some((src, text))) = (target, source) {
            templates.push(Template { src, text, path, span: at.key("src").span() });
        }
    }
    if let Some(ext) = at.key("ext").node() {
        strings(ext, &mut |text, span| {
            if let Err(why) = parse("ext", text) {
                found.push(bad_template(span, &why));
            }
        });
    }
    templates
}

fn target(path: &str, files: &BTreeSet<String>, span: Span, found: &mut Vec<Diagnostic>) -> Option<BundlePath> {
    let refuse = |message: String, help: &str| Diagnostic::new(Code::MissingTemplate, span, message).help(help);
    let target = match BundlePath::parse(path) {
        Ok(target) => target,
        Err(why) => {
            let help = "name the file as the mini-program sees it, such as `config.json`";
            found.push(refuse(format!("`{path}` cannot be the path of a rendered file: {why}"), help));
            return None;
        }
    };
    let folded = target.folded();
    let below = format!("{folded}/");
    let taken = files.contains(&folded)
        || above(&folded).any(|folder| files.contains(folder))
        || files.range(below.clone()..).next().is_some_and(|file| file.starts_with(&below));
    if taken {
        let help = "take the file out of the package, or give the rendered one another path";
        found.push(refuse(format!("`{path}` is already in the package"), help));
        return None;
    }
    Some(target)
}

fn source(
    tree: &SourceTree,
    own: &RepoPath,
    written: &str,
    span: Span,
    found: &mut Vec<Diagnostic>,
) -> Option<(RepoPath, Arc<str>)> {
    let refuse = |message: String, help: &str| Diagnostic::new(Code::MissingTemplate, span, message).help(help);
    let path = match own.beside(written) {
        Ok(path) => path,
        Err(why) => {
            let help = "a template stands below the folder of this document";
            found.push(refuse(format!("template `{written}` cannot be read: {why}"), help));
            return None;
        }
    };
    let (file, bytes) = match tree.find(path.as_str()) {
        Some((file, it)) if matches!(it.content, Content::Bytes(_)) => (file, it.bytes()),
        Some(_) => {
            found.push(refuse(
                format!("template `{path}` is not a file but a symbolic link, a submodule or the like"),
                "put the file itself there",
            ));
            return None;
        }
        None => {
            let beside = tree.below(own.parent()).filter_map(|(_, file)| file.path.below(own.parent()));
            let near = diag::nearest(written, beside).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or("the path is relative to this document".to_owned());
            found.push(refuse(format!("there is no template at `{path}`"), &help));
            return None;
        }
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        let message = format!("template `{path}` is not UTF-8 text");
        let help = "save it as UTF-8; files that are not text belong into the package";
        found.push(Diagnostic::new(Code::BadTemplate, span, message).help(help));
        return None;
    };
    if let Err(why) = parse(path.as_str(), text) {
        // Only texts that the source map holds can be shown.
        let diagnostic = match SourceTree::shows_text(&path) {
            true => {
                bad_template(line(file, text, why.line().unwrap_or(1)), &why).label(span, "rendered because of this")
            }
            false => bad_template(span, &why),
        };
        found.push(diagnostic);
        return None;
    }
    Some((path, text.into()))
}

fn bad_template(span: Span, why: &minijinja::Error) -> Diagnostic {
    let message = format!("the template cannot be parsed: {}", why.detail().unwrap_or("its syntax is wrong"));
    Diagnostic::new(Code::BadTemplate, span, message)
        .help("templates are Jinja: `{{ value }}`, `{% if … %}…{% endif %}`, `{# comment #}`")
}

/// Every text in a tree. A loop of its own is not needed: the guard limits the depth.
fn strings(node: &Node, visit: &mut impl FnMut(&str, Span)) {
    match &node.data {
        Data::Text(text) => visit(text, node.span),
        Data::List(items) => items.iter().for_each(|item| strings(item, visit)),
        Data::Mapping(entries) => entries.iter().for_each(|entry| strings(&entry.value, visit)),
        Data::Null | Data::Bool(_) | Data::Number(_) => {}
    }
}
