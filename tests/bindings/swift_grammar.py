"""Says where Swift sources do not keep to Swift's grammar; nothing when they do. Types are not checked.

    swift_grammar.py FILE...
"""

import pathlib
import sys

import tree_sitter
import tree_sitter_swift

# An attribute of the compiler's own, which the grammar does not know.
UNKNOWN = b"@_documentation(visibility: private)"


def mistakes(node):
    if node.is_error or node.is_missing:
        yield node
    else:
        for child in node.children:
            yield from mistakes(child)


parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))
for name in sys.argv[1:]:
    text = pathlib.Path(name).read_bytes().replace(UNKNOWN, b" " * len(UNKNOWN))
    for mistake in mistakes(parser.parse(text).root_node):
        print(f"{name}:{mistake.start_point.row + 1}: {mistake.text[:60]!r}")
