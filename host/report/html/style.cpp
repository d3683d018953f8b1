#include "report/html/style.hpp"

namespace p2pdiag::report::html {

// The contrast of every text to what is behind it is 4.5 or more (WCAG 2.2, 1.4.3), in both colour
// schemes: tests/unit/host_report/html_page.py measures it.
const std::string_view style_sheet = R"css(
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #ffffff; --ink: #1c2430; --quiet: #566172; --line: #dfe3e9; --rail: #e8ebf0;
  --accent: #2457c5;
  --works: #17713f; --works-soft: #e2f3e8;
  --limited: #8a5200; --limited-soft: #fdf0d8;
  --broken: #b3241c; --broken-soft: #fde7e5;
  --unknown: #5b6575; --unknown-soft: #eceff3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #11161d; --card: #19202a; --ink: #e7ecf3; --quiet: #a3afbe; --line: #2c3644; --rail: #2a3341;
    --accent: #8fb4ff;
    --works: #5ccb8f; --works-soft: #17352a;
    --limited: #f0b750; --limited-soft: #3a2d14;
    --broken: #ff8d84; --broken-soft: #42211f;
    --unknown: #a6b1c0; --unknown-soft: #29323f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.75rem; }
main > section { margin-top: 2.75rem; }
p { margin: 0; }
h1 { font-size: clamp(1.35rem, 1.1rem + 1.2vw, 1.8rem); line-height: 1.25; font-weight: 650; letter-spacing: -0.012em;
     margin: .55rem 0 1rem; text-wrap: balance; }
h2 { font-size: 1.18rem; font-weight: 650; margin: 0 0 .8rem; letter-spacing: -0.005em; }
h3 { font-size: 1rem; font-weight: 600; margin: 0 0 .45rem; }
h4 { font-size: .82rem; font-weight: 600; color: var(--quiet); margin: 1rem 0 .4rem; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .88em; }
.brand { font-weight: 650; color: var(--quiet); font-size: .92rem; letter-spacing: .01em; margin-bottom: 1.6rem; }
.quiet { color: var(--quiet); margin-bottom: .8rem; }
.small { color: var(--quiet); font-size: .86rem; }
.lead { margin-top: .6rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem 1.4rem; }
.card + .card { margin-top: .9rem; }
.notice { background: var(--limited-soft); color: var(--limited); border-radius: 10px; padding: .7rem 1rem; margin-bottom: 1rem; }
.facts { display: flex; flex-wrap: wrap; gap: .35rem 1.8rem; margin: 0; color: var(--quiet); font-size: .92rem; }
.facts div { display: flex; gap: .45rem; }
.facts dt { color: var(--quiet); flex: none; }
.facts dd { margin: 0; color: var(--ink); }
.chip { display: inline-block; border-radius: 999px; padding: .06rem .6rem; font-size: .8rem; font-weight: 600; line-height: 1.5;
        font-family: inherit; white-space: nowrap; }
.chip.works { background: var(--works-soft); color: var(--works); }
.chip.limited { background: var(--limited-soft); color: var(--limited); }
.chip.broken { background: var(--broken-soft); color: var(--broken); }
.chip.unknown, .chip.plain { background: var(--unknown-soft); color: var(--unknown); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -4rem; background: var(--card); color: var(--accent); padding: .5rem .9rem; border-radius: 8px; }
.skip:focus { top: 1rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }

svg.path { display: block; width: 100%; height: auto; }
svg.path.along { margin-bottom: .4rem; }
svg.path.down { display: none; max-width: 19rem; }
.station > circle { fill: var(--card); stroke: var(--line); stroke-width: 1.5; }
.icon { fill: none; stroke: var(--ink); stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
svg .name { fill: var(--ink); font-size: 15px; font-weight: 600; }
svg .state { font-size: 14px; font-weight: 600; fill: currentColor; }
.leg.works, .state.works { color: var(--works); }
.leg.limited, .state.limited { color: var(--limited); }
.leg.broken, .state.broken { color: var(--broken); }
.leg.unknown, .state.unknown { color: var(--unknown); }
.leg line { stroke: currentColor; stroke-width: 4; stroke-linecap: round; }
.leg.limited line { stroke-dasharray: 14 9; }
.leg.broken line { stroke-dasharray: 5 9; }
.leg.unknown line { stroke-dasharray: .1 11; }
.leg .mark { fill: none; stroke: currentColor; stroke-width: 4.5; stroke-linecap: round; stroke-linejoin: round; paint-order: stroke; }
.leg.broken g { stroke-linecap: round; }
.leg.limited .mark { fill: var(--card); stroke-width: 2.5; }
.leg .inner { fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linecap: round; }
.halo { fill: var(--card); }
.legs { list-style: none; margin: 1.3rem 0 0; padding: 1.1rem 0 0; border-top: 1px solid var(--line);
        display: grid; grid-template-columns: repeat(4, 1fr); gap: 1rem 1.5rem; font-size: .9rem; }
.legs .leg-name { font-weight: 600; margin-bottom: .3rem; }
.legs .leg-name { display: flex; flex-direction: column; align-items: flex-start; gap: .25rem; }

.sure { display: flex; align-items: center; gap: .8rem; color: var(--quiet); font-size: .9rem; white-space: nowrap; }
.sure svg { max-width: 12rem; }
.bar .rail { fill: var(--rail); }
.bar .fill { fill: var(--accent); }
.bar.works .fill { fill: var(--works); }
.bar.limited .fill { fill: var(--limited); }
.bar.broken .fill { fill: var(--broken); }
.bar.unknown .fill { fill: var(--unknown); }
.bar { display: block; }
.remedies { list-style: none; margin: 0; padding: 0; }
.remedies li + li { margin-top: .9rem; }
pre { margin: .5rem 0 0; border-radius: 9px; background: var(--rail); padding: .65rem .9rem; overflow-x: auto; }
pre.command { white-space: pre-wrap; user-select: all; }
pre.data { max-height: 26rem; overflow: auto; line-height: 1.45; }
details { margin-top: .55rem; }
summary { cursor: pointer; color: var(--accent); font-size: .92rem; width: fit-content; padding: .12rem 0; }
details.more { margin-top: 1.1rem; }
details.more > summary { font-size: 1rem; margin-bottom: .8rem; }
.finding h3 { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.finding .small { margin-top: .25rem; }

.checks { list-style: none; margin: 0; padding: .35rem 1.4rem; }
.checks > li { display: grid; grid-template-columns: 12.5rem 1fr 13rem; gap: .3rem 1.5rem; padding: .95rem 0; align-items: start; }
.checks > li + li { border-top: 1px solid var(--line); }
.checks .check { display: flex; flex-direction: column; align-items: flex-start; gap: .25rem; }
.checks .said { min-width: 0; font-size: .94rem; }
.when { padding-top: .45rem; }
.when .small { margin-top: .3rem; }

.delays { list-style: none; margin: 0; padding: 0; }
.delays li { display: grid; grid-template-columns: 17rem 1fr 16.5rem; gap: 0 1.2rem; align-items: center; font-size: .92rem; }
.delay { display: block; overflow: visible; }
.delay .grid { stroke: var(--line); stroke-width: 1; }
.delay .range { stroke: var(--accent); stroke-width: 3; stroke-linecap: round; opacity: .55; }
.delay .dot { fill: var(--accent); }
.scale { display: flex; justify-content: space-between; margin: .2rem 17.7rem 0 18.2rem; }

.ladder-box { overflow-x: auto; padding: .6rem 0; }
.ladder { display: block; font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px; }
.ladder text { fill: var(--ink); }
.ladder .head { font-weight: 600; }
.ladder .time, .ladder .gap { fill: var(--quiet); }
.ladder .post { stroke: var(--line); stroke-width: 1.5; }
.ladder .arrow { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.ladder .answer .arrow { stroke: var(--works); stroke-dasharray: 5 3; }
.ladder .unanswered .arrow { stroke: var(--limited); }
.ladder .refused .arrow { stroke: var(--broken); }
.ladder .unanswered text { fill: var(--limited); }
.ladder .refused text { fill: var(--broken); }
.messages { margin: .5rem 0 0; padding-left: 1.6rem; font-size: .9rem; }
footer { margin-top: 3.5rem; padding-top: 1.2rem; padding-bottom: 3rem; color: var(--quiet); font-size: .86rem; }

@media (max-width: 46rem) {
  header { padding-top: 1.6rem; }
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  .card { padding: 1rem 1.05rem; }
  svg.path.along { display: none; }
  svg.path.down { display: block; }
  .legs { grid-template-columns: 1fr; }
  .legs .leg-name, .checks .check { flex-direction: row; flex-wrap: wrap; align-items: baseline; gap: .1rem .5rem; }
  .checks { padding: .2rem 1.05rem; }
  .checks > li { grid-template-columns: 1fr; }
  .delays li { grid-template-columns: 1fr; padding: .5rem 0; }
  .scale { margin-left: 0; margin-right: 0; }
}
@media print {
  :root {
    --ground: #fff; --card: #fff; --ink: #000; --quiet: #444; --line: #bbb; --rail: #eee; --accent: #1b3f8f;
    --works: #17713f; --works-soft: #fff; --limited: #8a5200; --limited-soft: #fff;
    --broken: #b3241c; --broken-soft: #fff; --unknown: #555; --unknown-soft: #fff;
  }
  body { font-size: 10.5pt; }
  header, main, footer { max-width: none; padding: 0; }
  header { padding-top: 0; }
  main > section { margin-top: 1.4rem; }
  .skip { display: none; }
  .chip { border: 1px solid currentColor; }
  .card, .checks > li, .legs li { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  details::details-content { content-visibility: visible; height: auto; }
  pre.data { max-height: none; white-space: pre-wrap; }
}
@media (prefers-reduced-motion: no-preference) { .skip { transition: top .12s; } }
)css";

}  // namespace p2pdiag::report::html
