//! The page that shows the document: one file that asks nobody for anything.
//!
//! `report/` has the page's sources. Its scripts are modules, so that each can be read by itself; a file that is opened
//! from a disk may import none, so they are linked here.

use data_encoding::BASE64;

use crate::digest::Sha256;
use crate::link::linked;

macro_rules! scripts {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../report/", $name)))),*]
    };
}

/// The sources of the page.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The skeleton, with a marker for each part.
    pub html: &'static str,
    /// The style sheet.
    pub css: &'static str,
    /// The scripts by name; `main.js` begins.
    pub scripts: &'static [(&'static str, &'static str)],
}

impl Source {
    /// What is in this binary.
    pub const BUILT_IN: Source = Source {
        html: include_str!("../../report/page.html"),
        css: include_str!("../../report/page.css"),
        scripts: scripts![
            "address.js",
            "book.js",
            "changes.js",
            "chooser.js",
            "copy.js",
            "dom.js",
            "filters.js",
            "impact.js",
            "live.js",
            "matrix.js",
            "narrow.js",
            "now.js",
            "panel.js",
            "reasons.js",
            "sheet.js",
            "sizes.js",
            "stores.js",
            "timeline.js",
            "treemap.js",
            "trust.js",
            "why.js",
            "words.js",
            "main.js"
        ],
    };

    fn script(&self, name: &str) -> &'static str {
        self.scripts.iter().find(|it| it.0 == name).map_or("", |it| it.1)
    }

    /// The page, and what it allows itself.
    fn page(&self, data: &str, connect: &str) -> (String, String) {
        let (style, script) = (self.css, linked("main.js", &|name| self.script(name)));
        let hash = |text: &str| format!("'sha256-{}'", BASE64.encode(&Sha256::of(text.as_bytes()).0));
        let policy = format!(
            "default-src 'none'; style-src {}; script-src {}; connect-src {connect}; img-src data:; base-uri 'none'; form-action 'none'",
            hash(style),
            hash(&script),
        );
        let parts = [
            ("<!--policy-->", format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")),
            ("<!--style-->", format!("<style>{style}</style>")),
            ("<!--data-->", format!("<script type=\"application/json\" id=\"data\">{data}</script>")),
            ("<!--script-->", format!("<script type=\"module\">{script}</script>")),
        ];
        // Line by line, so that what stands in one part is never taken for the marker of another.
        let mut page = String::with_capacity(self.html.len() + style.len() + script.len() + data.len() + 1024);
        for line in self.html.lines() {
            let part = parts.iter().find(|(marker, _)| line.trim() == *marker);
            page += part.map_or(line, |(_, part)| part);
            page.push('\n');
        }
        (page, policy)
    }
}

/// The page with a document in it.
pub fn page(document: &str) -> String {
    // Nothing in the document can end the element that it stands in.
    Source::BUILT_IN.page(&document.replace('<', "\\u003c"), "'none'").0
}

/// The page that asks for `report.json` beside it, again and again; and its policy, which a header can say too.
pub fn live() -> (String, String) {
    Source::BUILT_IN.page("", "'self'")
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test looks at the folder of the page")]
mod tests {
    use std::path::Path;

    use super::Source;
    use crate::link;

    #[test]
    fn every_script_of_the_folder_is_in_the_page_and_can_be_linked() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("report");
        let entries = std::fs::read_dir(folder).expect("the folder").map(|it| it.expect("an entry").file_name());
        let mut there: Vec<String> =
            entries.map(|it| it.to_string_lossy().into_owned()).filter(|it| it.ends_with(".js")).collect();
        there.sort();
        let mut listed: Vec<&str> = Source::BUILT_IN.scripts.iter().map(|it| it.0).collect();
        listed.sort_unstable();
        assert_eq!(listed, there);
        assert_eq!(link::obstacles(Source::BUILT_IN.scripts), Vec::<String>::new());
    }

    #[test]
    fn markers_are_lines_of_the_skeleton() {
        for marker in ["<!--policy-->", "<!--style-->", "<!--data-->", "<!--script-->"] {
            assert_eq!(Source::BUILT_IN.html.lines().filter(|it| it.trim() == marker).count(), 1, "{marker}");
        }
    }
}
