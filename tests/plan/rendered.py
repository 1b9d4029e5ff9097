"""What GitHub's own renderer makes of a comment, read from standard input: tags, links, and text outside code.

Prints one JSON document. `outside` is the text that stands in no code span, in which GitHub would look for mentions,
issues and links once more.
"""

import json
import sys
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.outside, self.codes = {}, [], "", []
        self.attributes = []
        self.unbalanced = 0

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes.extend(f"{tag} {name}" for name, _ in attributes)
        if tag not in ("br", "img", "input", "hr"):
            self.open.append(tag)
        if tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced += 1

    def handle_data(self, data):
        if "code" in self.open:
            self.codes[-1] += data
        else:
            self.outside += data


page = Page()
text = sys.stdin.buffer.read().decode()
page.feed(cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE))
page.close()
json.dump(
    {
        "tags": page.tags,
        "attributes": sorted(set(page.attributes)),
        "outside": page.outside,
        "codes": page.codes,
        "unbalanced": page.unbalanced + len(page.open),
    },
    sys.stdout,
)
