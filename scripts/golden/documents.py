#!/usr/bin/env python3
"""Makes tests/golden/documents: a story as .docx, .odt and .epub by pandoc, and of each the paragraphs that pandoc sees.

Needs pandoc on the path. Run it from the repository's root; commit what changes on purpose.
"""
import json
import pathlib
import re
import subprocess

FOLDER = pathlib.Path("tests/golden/documents")


def inline(node):
    """The text of inline elements, notes aside."""
    if isinstance(node, list):
        return "".join(inline(part) for part in node)
    kind, content = node.get("t"), node.get("c")
    if kind == "Str":
        return content
    if kind in ("Space", "SoftBreak", "LineBreak"):
        return " "
    if kind in ("Note", "RawInline"):
        return ""
    if kind in ("Link", "Image", "Span", "Cite", "Code", "Math"):
        return content[1] if isinstance(content[1], str) else inline(content[1])
    return inline(content) if isinstance(content, list) else ""


def notes(node):
    """The blocks of all notes below."""
    if isinstance(node, list):
        for part in node:
            yield from notes(part)
    elif isinstance(node, dict):
        if node.get("t") == "Note":
            yield from node["c"]
        else:
            yield from notes(node.get("c"))


def paragraphs(block):
    """The texts of a block: paragraphs, headings, items, cells, and the notes in them."""
    kind, content = block["t"], block.get("c")
    if kind in ("Para", "Plain", "Header"):
        text = content[2] if kind == "Header" else content
        yield inline(text)
        for note in notes(text):
            yield from paragraphs(note)
    elif kind == "BlockQuote":
        for part in content:
            yield from paragraphs(part)
    elif kind == "Div":
        for part in content[1]:
            yield from paragraphs(part)
    elif kind in ("BulletList", "OrderedList"):
        for item in content if kind == "BulletList" else content[1]:
            for part in item:
                yield from paragraphs(part)
    elif kind == "Table":
        rows = content[3][1] + [row for body in content[4] for row in body[2] + body[3]] + content[5][1]
        for row in rows:
            for cell in row[1]:
                for part in cell[4]:
                    yield from paragraphs(part)


def main():
    for extension in ("docx", "odt", "epub"):
        document = FOLDER / f"story.{extension}"
        subprocess.run(["pandoc", FOLDER / "story.md", "-o", document], check=True)
        seen = subprocess.run(["pandoc", document, "-t", "json"], check=True, capture_output=True).stdout
        texts = [re.sub(r"\s+", " ", text).strip() for block in json.loads(seen)["blocks"] for text in paragraphs(block)]
        (FOLDER / f"story.{extension}.txt").write_text("\n".join(text for text in texts if text) + "\n")


if __name__ == "__main__":
    main()
