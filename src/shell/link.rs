//! Modules of our own become one script: each is a function that gives what it exports, after those that it needs.
//!
//! It reads the JavaScript that `shell/` is written in and no other: imports stand on one line each, names are exported
//! where they are declared, and no text goes over several lines.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A module and all that it needs, as one script.
pub(super) fn linked(entry: &str, source: &dyn Fn(&str) -> &'static str) -> String {
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
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut in_comment = false;
    text.lines().map(str::trim).filter(move |line| {
        let begins = line.starts_with("/**") || line.starts_with("<!--");
        let is_comment = in_comment || begins || line.starts_with("//") || line.is_empty();
        in_comment = (in_comment || begins) && !line.ends_with("*/") && !line.ends_with("-->");
        !is_comment
    })
}

#[cfg(test)]
mod tests {
    use super::super::{SOURCES, source};
    use super::{export, import, lines, linked, resolved};

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

    #[test]
    fn what_a_module_takes_another_one_gives() {
        for (path, text) in SOURCES.iter().filter(|it| it.0.ends_with(".js")) {
            for (names, from) in lines(text).filter_map(import) {
                let given: Vec<&str> = lines(source(&resolved(path, from))).filter_map(export).map(|it| it.0).collect();
                let taken = names.split(", ").map(|it| it.split(" as ").next().unwrap_or(it));
                let missing: Vec<&str> = taken.filter(|it| !given.contains(it)).collect();
                assert!(missing.is_empty(), "{path} takes {missing:?} from {from}");
            }
        }
    }

    #[test]
    fn the_shell_is_written_so_that_it_can_be_linked() {
        let script = linked("main.js", &source);
        let left: Vec<&str> =
            script.lines().filter(|it| it.starts_with("import ") || it.starts_with("export ")).collect();
        assert_eq!(left, Vec::<&str>::new());
        assert!(!script.contains("</script"), "it stands inside a page");
        for (path, text) in SOURCES.iter().filter(|it| it.0.ends_with(".js")) {
            let broken: Vec<&str> = lines(text).filter(|it| it.matches('`').count() % 2 != 0).collect();
            let broken: Vec<&&str> = broken.iter().filter(|it| !it.contains("\\`") && !it.contains("* ")).collect();
            assert!(broken.is_empty(), "a text goes over several lines in {path}: {broken:?}");
        }
    }
}
