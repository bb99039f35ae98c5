#!/usr/bin/env python3
"""Draws a terminal with a command and what it printed, as an SVG for the README.

    terminal-svg.py OUT.svg --show 'anubad translate samples/lavrov.txt' -- COMMAND [ARGS ...]

Runs COMMAND, wraps its standard output at --columns and keeps the first --lines of it. Needs Python 3.9 or newer.
"""
import argparse
import html
import subprocess
import textwrap

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("out")
parser.add_argument("--show", required=True, help="the command as it is shown")
parser.add_argument("--columns", type=int, default=92)
parser.add_argument("--lines", type=int, default=22)
parser.add_argument("command", nargs="+")
args = parser.parse_args()

output = subprocess.run(args.command, check=True, stdout=subprocess.PIPE).stdout.decode()
lines = [f"$ {args.show}"]
for line in output.splitlines():
    lines += textwrap.wrap(line, args.columns) or [""]
if len(lines) > args.lines:
    lines = lines[: args.lines - 1] + ["…"]
width, height = args.columns * 8 + 40, len(lines) * 19 + 60
rows = []
for number, line in enumerate(lines):
    color = ' fill="#8bd5ca"' if number == 0 else ""
    rows.append(f'<text x="20" y="{52 + 19 * number}"{color}>{html.escape(line)}</text>')
dots = "".join(f'<circle cx="{20 + 18 * i}" cy="20" r="6" fill="{c}"/>' for i, c in enumerate(["#ed8796", "#eed49f", "#a6da95"]))
joined = "\n".join(rows)
with open(args.out, "w", encoding="utf-8") as file:
    file.write(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="A terminal: {html.escape(args.show)}">\n'
        f'<rect width="{width}" height="{height}" rx="10" fill="#1e2030"/>{dots}\n'
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13.3" fill="#cad3f5" xml:space="preserve">\n{joined}\n</g>\n</svg>\n'
    )
