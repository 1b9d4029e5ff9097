//! Modules of our own become one script: each is a function that gives what it exports, after those that it needs.
//!
//! It reads the JavaScript that `shell/` and `report/` are written in and no other: imports stand on one line each, names are exported
//! where they are declared, and no text goes over several lines.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A module and all that it needs, as one script.
pub fn linked(entry: &str, source: &dyn Fn(&str) -> &'static str) -> String {
    let mut script = Script { source, there: BTreeSet::new(), text: String::new() };
    script.add(entry);
    script.text
}

struct Script<'a> {
    source: &'a dyn Fn(&str) -> &'static str,
    there: BTreeSet<String>,
    text: String,
}

impl Script<'_> {
    fn add(&mut self, path: &str) {
        if !self.there.insert(path.to_owned()) {
            return;
        }
        let mut body = String::new();
        let mut exports = Vec::new();
        for line in lines((self.source)(path)) {
            if let Some((names, from)) = import(line) {
                let from = resolved(path, from);
                self.add(&from);
                let _ = writeln!(body, "const {{ {} }} = {};", names.replace(" as ", ": "), variable(&from));
            } else if let Some((name, declaration)) = export(line) {
                exports.push(name);
                let _ = writeln!(body, "{declaration}");
            } else {
                let _ = writeln!(body, "{line}");
            }
        }
        let (name, exports) = (variable(path), exports.join(", "));
        let _ = writeln!(self.text, "const {name} = (() => {{\n{body}return {{ {exports} }};\n}})();");
    }
}

/// The names and the path of `import { names } from "path";`.
fn import(line: &str) -> Option<(&str, &str)> {
    let (names, from) = line.strip_prefix("import { ")?.split_once(" } from \"")?;
    Some((names, from.strip_suffix("\";")?))
}

/// The name that `export …` declares, and the declaration itself.
fn export(line: &str) -> Option<(&str, &str)> {
    let declaration = line.strip_prefix("export ")?;
    let name =
        ["async function ", "function ", "class ", "const "].iter().find_map(|it| declaration.strip_prefix(it))?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    Some((&name[..end], declaration))
}

/// The path of a module that another one names.
fn resolved(from: &str, path: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |it| it.0);
    let mut parts: Vec<&str> = folder.split('/').filter(|it| !it.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn variable(path: &str) -> String {
    format!("${}", path.trim_end_matches(".js").replace('/', "_"))
}

/// Lines without what stands before them, and without those that are comments.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut in_comment = false;
    text.lines().map(str::trim).filter(move |line| {
        let begins = line.starts_with("/**") || line.starts_with("<!--");
        let is_comment = in_comment || begins || line.starts_with("//") || line.is_empty();
        in_comment = (in_comment || begins) && !line.ends_with("*/") && !line.ends_with("-->");
        !is_comment
    })
}

/// What keeps some sources, of which `main.js` begins, from being linked.
#[cfg(test)]
pub(crate) fn obstacles(sources: &[(&str, &'static str)]) -> Vec<String> {
    let source = |path: &str| sources.iter().find(|it| it.0 == path).map_or("", |it| it.1);
    let mut found = Vec::new();
    for (path, text) in sources.iter().filter(|it| it.0.ends_with(".js")) {
        for (names, from) in lines(text).filter_map(import) {
            let given: Vec<&str> = lines(source(&resolved(path, from))).filter_map(export).map(|it| it.0).collect();
            let taken = names.split(", ").map(|it| it.split(" as ").next().unwrap_or(it));
            found.extend(taken.filter(|it| !given.contains(it)).map(|it| format!("{path} takes {it} from {from}")));
        }
        let broken = lines(text).filter(|it| it.replace("\\`", "").replace("\"`\"", "").matches('`').count() % 2 != 0);
        // In a regular expression there may be one.
        let broken = broken.filter(|it| !it.contains("* ") && !it.contains("(/"));
        found.extend(broken.map(|it| format!("a text goes over several lines in {path}: {it}")));
    }
    let script = linked("main.js", &source);
    let left = script.lines().filter(|it| it.starts_with("import ") || it.starts_with("export "));
    found.extend(left.map(|it| format!("not understood: {it}")));
    if script.contains("</script") {
        found.push("the end of a script, which stands inside a page".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::linked;

    #[test]
    fn modules_come_after_those_that_they_need_and_once() {
        let source = |path: &str| match path {
            "main.js" => {
                "import { one, two as second } from \"./a/x.js\";\nimport { three } from \"./y.js\";\none(second, three);\n"
            }
            "a/x.js" => {
                "import { three } from \"../y.js\";\nexport const one = three;\nexport async function two() {\n}\n"
            }
            _ => "// Why.\n\n/**\n * More.\n */\nexport class three {}\n",
        };
        let script = "\
const $y = (() => {
class three {}
return { three };
})();
const $a_x = (() => {
const { three } = $y;
const one = three;
async function two() {
}
return { one, two };
})();
const $main = (() => {
const { one, two: second } = $a_x;
const { three } = $y;
one(second, three);
return {  };
})();
";
        assert_eq!(linked("main.js", &source), script);
    }
}
