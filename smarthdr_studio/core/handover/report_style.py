"""What a report looks like: one style sheet for screens, light and dark, and for paper."""

from collections.abc import Mapping
from typing import Final

from smarthdr_studio.core.journal import Status

SLUGS: Final[Mapping[Status, str]] = {
    Status.GROUND_TRUTH: "truth",
    Status.PROMOTED: "promoted",
    Status.UNLABELLED: "unlabelled",
    Status.EXCLUDED: "excluded",
    Status.TEST: "test",
}

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #f4f4f2; --card: #fdfdfc; --ink: #1d1d1b; --quiet: #62625d; --line: #deded9;
  --accent: #2d6ea8; --well: #e9e9e5; --warn: #9a3412;
  --truth: #2d6ea8; --promoted: #1c7c54; --unlabelled: #6d6d68; --excluded: #a4471c;
  --test: #7048a6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1b1b1a; --card: #242423; --ink: #e7e7e3; --quiet: #9d9d96; --line: #3a3a38;
    --accent: #7fb4e3; --well: #151514; --warn: #f0a070;
    --truth: #7fb4e3; --promoted: #62c698; --unlabelled: #a3a39c; --excluded: #e8935f;
    --test: #b795e6;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums lining-nums;
}
.page { max-width: 1240px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; font-weight: 600; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 17px; font-weight: 600; margin: 40px 0 12px; }
h3 { font-size: 16px; font-weight: 600; margin: 0; }
h4 { font-size: 11px; font-weight: 600; margin: 0 0 6px; color: var(--quiet);
  letter-spacing: .06em; text-transform: uppercase; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.quiet { color: var(--quiet); }
.break { overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 1px; margin: 24px 0 0; background: var(--line);
  border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.facts div { flex: 1 0 auto; max-width: 100%; background: var(--card); padding: 10px 14px; }
.facts dt, .figures dt { font-size: 12px; color: var(--quiet); }
.facts dd { margin: 0; font-size: 20px; line-height: 1.3; }
.facts dd.words { font-size: 14px; line-height: 1.5; overflow-wrap: anywhere; }
.status { white-space: nowrap; font-weight: 600; }
.status::before { content: ""; display: inline-block; width: .62em; height: .62em;
  margin-right: .45em; border-radius: 50%; background: currentColor; }
.status.unlabelled::before { background: none; border: 2px solid currentColor; }
.status.excluded::before { border-radius: 0; height: .2em; vertical-align: .22em; }
.status.test::before { border-radius: 0; }
.truth { color: var(--truth); } .promoted { color: var(--promoted); }
.unlabelled { color: var(--unlabelled); } .excluded { color: var(--excluded); }
.test { color: var(--test); }
.contents { display: grid; grid-template-columns: max-content 1fr; gap: 8px 20px; }
.contents ul { list-style: none; margin: 0; padding: 0; display: grid;
  grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 2px 16px; }
.contents li { display: flex; justify-content: space-between; gap: 8px; min-width: 0; }
.contents li a { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.scene { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  margin: 0 0 20px; overflow: hidden; }
.scene header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px;
  padding: 12px 16px; }
.scene header .last { margin-left: auto; }
.kept { display: inline-block; width: 120px; height: 6px; margin-left: 8px; border-radius: 3px;
  background: var(--well); overflow: hidden; vertical-align: 1px; }
.kept i { display: block; height: 100%; background: var(--accent); }
.rounds { width: 72px; height: 16px; margin-left: 10px; vertical-align: -3px; }
.rounds polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; }
.views { display: grid; grid-template-columns: repeat(4, 1fr); gap: 2px; background: var(--well); }
figure { margin: 0; background: var(--card); display: flex; flex-direction: column; }
figure img { display: block; width: 100%; height: auto; }
figcaption { padding: 8px 12px 10px; font-size: 12px; }
figcaption b { font-weight: 600; }
.bar { display: flex; align-items: center; gap: 6px; margin-top: 4px; color: var(--quiet); }
.bar i { flex: 1; height: 8px; border-radius: 2px; }
.key { display: flex; flex-wrap: wrap; gap: 2px 12px; margin-top: 4px; color: var(--quiet); }
.key i { display: inline-block; width: 21px; height: 13px; margin-right: 5px; border-radius: 2px;
  vertical-align: -2px; background-size: cover; }
.told { display: grid; grid-template-columns: minmax(200px, 1fr) 3fr; gap: 20px 32px;
  padding: 14px 16px 16px; }
.told > :only-child { grid-column: 1 / -1; }
.figures { margin: 0; display: grid; grid-template-columns: 1fr max-content; gap: 1px 16px; }
.figures dd { margin: 0; text-align: right; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
td { padding: 2px 16px 2px 0; vertical-align: top; }
td:nth-child(-n + 2) { white-space: nowrap; width: 1%; color: var(--quiet); }
tr.undone .what { text-decoration: line-through; color: var(--quiet); }
blockquote { margin: 0 0 12px; padding: 2px 0 2px 12px; border-left: 3px solid var(--accent);
  white-space: pre-wrap; }
.why { font-style: italic; }
.tag { display: inline-block; padding: 0 8px; border: 1px solid var(--line); border-radius: 9px;
  font-size: 12px; }
.warn { color: var(--warn); padding: 0 16px 10px; margin: 0; overflow-wrap: anywhere; }
.warn::before { content: "! "; font-weight: 700; }
.legend { gap: 6px 24px; }
footer { margin-top: 40px; font-size: 12px; color: var(--quiet); }
@media (max-width: 900px) {
  .views { grid-template-columns: repeat(2, 1fr); }
  .told { grid-template-columns: 1fr; }
}
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --quiet: #555; --line: #ccc; --well: #eee;
    --accent: #2d6ea8; --warn: #9a3412; --truth: #2d6ea8; --promoted: #1c7c54;
    --unlabelled: #6d6d68; --excluded: #a4471c; --test: #7048a6; color-scheme: light; }
  body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .page { max-width: none; padding: 0; }
  .scene { break-inside: avoid; }
  h2 { break-after: avoid; }
  .views { grid-template-columns: repeat(2, 1fr); }
  @page { margin: 14mm; }
}
"""
