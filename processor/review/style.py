"""How the page of a preview looks: by the reader's own colours and fonts, on paper too."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  --paper: #ffffff; --ink: #1c2430; --quiet: #5a6575; --line: #dde2e9; --tint: #f5f7fa;
  --high: #b3261e; --middle: #b26a00; --low: #2b6cb0; --alarm: #fdecea; --link: #0b5cad;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --ink: #e6eaf0; --quiet: #9aa6b5; --line: #2d3541; --tint: #1a2029;
    --high: #f2726a; --middle: #e0a44a; --low: #6aa9e9; --alarm: #3a1d1c; --link: #7db8f2;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.3rem; }
h3 { margin: 1.75rem 0 .25rem; font-size: 1.05rem; }
p { margin: .25rem 0 .75rem; max-width: 48rem; }
header p, footer, .small, figcaption { color: var(--quiet); font-size: .9rem; }
.kind { margin: 0; text-transform: uppercase; letter-spacing: .08em; font-size: .75rem; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
ul { padding-left: 1.25rem; }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .75rem;
  margin: 1.5rem 0 0; padding: 0; list-style: none;
}
.tiles li {
  padding: .9rem 1rem; border: 1px solid var(--line); border-left: .3rem solid var(--low);
  border-radius: .4rem; background: var(--tint);
}
.tiles .loud { border-left-color: var(--high); }
.tiles strong { display: block; font-size: 1.6rem; line-height: 1.2; }
.tiles .loud strong { color: var(--high); }
.tiles span { color: var(--quiet); font-size: .85rem; }
.warning, .findings {
  margin: 1rem 0; padding: .75rem 1rem; border-left: .3rem solid var(--high); border-radius: .4rem;
  background: var(--alarm);
}
.findings { padding-left: 2.25rem; max-width: 60rem; }
.frame { overflow-x: auto; margin: .5rem 0; border: 1px solid var(--line); border-radius: .4rem; }
.frame:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; font-size: .88rem; }
th, td { padding: .4rem .75rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th {
  border-top: 0; background: var(--tint); color: var(--quiet); font-size: .78rem; vertical-align: bottom;
}
tbody th { font-weight: 400; white-space: nowrap; }
td:last-child { min-width: 11rem; }
td code { overflow-wrap: anywhere; }
.remarked th, .remarked td { background: var(--alarm); }
.exposure { display: inline-flex; gap: .5rem; align-items: center; white-space: nowrap; }
.gone { color: var(--quiet); font-style: italic; }
.rail { fill: var(--line); }
.plain { fill: var(--quiet); opacity: .55; }
.high { fill: var(--high); } .middle { fill: var(--middle); } .low { fill: var(--low); }
figure { margin: 1rem 0; }
.chart { display: block; width: 100%; max-width: 40rem; height: auto; }
.chart text { fill: var(--ink); font: 12px system-ui, sans-serif; text-anchor: middle; }
.chart line { stroke: var(--quiet); }
details { margin: .5rem 0; }
summary { cursor: pointer; font-weight: 600; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .75rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media print {
  :root {
    --paper: #ffffff; --ink: #000000; --quiet: #444444; --line: #bbbbbb; --tint: #ffffff; --alarm: #ffffff;
    --high: #b3261e; --middle: #b26a00; --low: #2b6cb0;
  }
  @page { size: A4 landscape; margin: 14mm; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  .frame { overflow: visible; border: 0; }
  tr, figure, .tiles li { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
"""No inline styles beside it: the page's content security policy allows this text alone."""
