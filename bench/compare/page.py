# SPDX-License-Identifier: Apache-2.0
"""The comparison as one page of HTML that needs no other file: tables, and the pictures within it."""
import base64
import html

import tables

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; background: #fff; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #d5dae2; } h3 { margin: 2rem 0 .5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #e6e9ee; text-align: right; vertical-align: top; }
th { border-bottom: 2px solid #aeb6c2; } tr:hover td { background: #f4f6f9; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
img { max-width: 100%; } ul.conditions { columns: 2; font-size: .87rem; color: #4a5566; }
"""


def _row(cells, kind):
    return "<tr>" + "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells) + "</tr>"


def _table(table, level):
    lines = [f"<h{level}>{html.escape(table.title)}</h{level}>"]
    if table.text:
        lines.append(f"<p>{html.escape(table.text)}</p>")
    lines += ['<div class="wide"><table>', _row(table.heads, "th"), *[_row(cells, "td") for cells in table.rows], "</table></div>"]
    return lines


def _picture(path, name):
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{html.escape(name)}: time and bus bandwidth over size" src="data:image/png;base64,{data}">'


def _list(items, name):
    return [f'<ul class="{name}">', *[f"<li>{html.escape(item)}</li>" for item in items], "</ul>"]


def render(document, pictures):
    """`pictures` are paths of PNGs by case."""
    contestants = document["contestants"]
    title = html.escape(tables.title(contestants))
    lines = ["<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
             '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>{title}</title>",
             f"<style>{STYLE}</style></head><body>", f"<h1>{title}</h1>", *_list(tables.conditions(document), "conditions")]
    if document["summary"]:
        lines += _table(tables.of_summary(document["summary"]), 2)
    for setting, bounds in document["bounds"].items():
        lines += _table(tables.of_bounds(setting, bounds), 2)
    lines += ["<h2>Times</h2>", f"<p>{html.escape(tables.times_text(contestants[0]))}</p>",
              *_list(tables.settings_texts(document["results"]), "settings")]
    for key, table in tables.of_times(document["results"], contestants).items():
        heading, *rest = _table(table, 3)
        lines += [heading] + ([_picture(pictures[key], table.title)] if key in pictures else []) + rest
    if document["problems"]:
        lines += ["<h2>Problems</h2>", *_list(document["problems"], "problems")]
    return "\n".join(lines + ["</body></html>"]) + "\n"
