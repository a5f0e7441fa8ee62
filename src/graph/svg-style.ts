/** How a drawing looks, light and dark. */
export const STYLE = `
svg{--paper:#fff;--ink:#1c2333;--soft:#667085;--line:#98a2b3;--state:#fff;--held:#f7f8fa;--edge:#cfd5df;--taken:#0f8a5f;--taken-soft:#e4f6ee;--untaken:#d03030;--untaken-soft:#fdeaea;--tag:#3b6ef5;
font-family:Inter,"Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif;background:var(--paper)}
@media (prefers-color-scheme:dark){svg{--paper:#10141d;--ink:#e8ecf4;--soft:#9aa5b8;--line:#5d6a80;--state:#1b2230;--held:#151b26;--edge:#36425a;--taken:#3fcf95;--taken-soft:#123527;--untaken:#ff7b72;--untaken-soft:#3d1a1c;--tag:#7ea2ff}}
.box{fill:var(--state);stroke:var(--edge);stroke-width:1.25}
.holds>.box{fill:var(--held)}
.frame>.box{fill:var(--paper)}
.region>.box{stroke-dasharray:5 4;fill:none}
.ring{fill:none;stroke:var(--edge);stroke-width:1.25}
.words>.name,.words>.inner,.words>.note{paint-order:stroke;stroke:var(--held);stroke-width:4;stroke-linejoin:round}
.name{font-size:14px;font-weight:600;fill:var(--ink)}
.inner{font-size:11px;fill:var(--soft)}
.rule{stroke:var(--edge);stroke-width:1}
.tag{fill:var(--tag)}
.dot{fill:var(--ink)}
.arrow{fill:none;stroke:var(--line);stroke-width:1.5;stroke-linejoin:round}
.head{fill:context-stroke}
.pill{fill:var(--paper);stroke:var(--edge);stroke-width:1}
.event{font-size:11px;font-weight:500;fill:var(--ink)}
.guard{font-size:11px;fill:var(--soft)}
.note{text-anchor:end;font-size:10px;font-weight:700;fill:var(--taken)}
.taken>.box{stroke:var(--taken)}
.leaf.taken>.box{fill:var(--taken-soft)}
.taken>.ring,.taken>.arrow,.taken>.pill{stroke:var(--taken)}
.taken.inner,.taken>.inner{fill:var(--taken)}
.passed-by>.arrow,.passed-by>.tag{opacity:.4}
.passed-by>.box,.passed-by>.ring,.passed-by>.pill{stroke-opacity:.4}
.passed-by>text{fill-opacity:.4}
.untaken>.box{stroke:var(--untaken)}
.leaf.untaken>.box{fill:var(--untaken-soft)}
.untaken>.ring,.untaken>.arrow,.untaken>.pill{stroke:var(--untaken)}
.untaken>.name,.untaken>.event,.untaken>.guard,.untaken>.inner{fill:var(--untaken)}
`.trim();
