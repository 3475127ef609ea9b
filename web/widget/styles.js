// One constructable sheet for everything behind the launcher: no style element, no style attribute, so a strict CSP is content.
// Sizes are in em of a base no page can push under 16 px (iOS zooms into smaller inputs); sides are logical, so RTL needs no rules.
const LIGHT = `--bg:var(--guichet-bg,#fff);--fg:var(--guichet-text,#16202e);--soft:#f3f5f8;--line:#d9dfe7;--edge:#7b8798;--dim:#566173;
--them:#eef1f6;--me:var(--accent);--on-me:var(--on-accent);--link:#1a4fb8;--bad:#b3261e;--bad-bg:#fdeeed;--ok:#11683c;--note:#fff6df;--note-fg:#5b4300;
--accent-line:var(--accent);--focus:var(--accent-line);--shadow:0 1px 2px #0f1c3014,0 12px 40px #0f1c3033;color-scheme:light`;
const DARK = `--bg:var(--guichet-bg-dark,#161b22);--fg:var(--guichet-text-dark,#e8ecf2);--soft:#1e252e;--line:#323c48;--edge:#8390a2;--dim:#a3aebd;
--them:#262e39;--me:var(--accent);--on-me:var(--on-accent);--link:#9dbdff;--bad:#ffb4ab;--bad-bg:#3a2020;--ok:#7fd6a4;--note:#3a3018;--note-fg:#f5dfa6;
--accent-line:#9dbdff;--focus:var(--accent-line);--shadow:0 1px 2px #0006,0 12px 40px #000a;color-scheme:dark`;

export const css = `
.root{${LIGHT}}
.root.dark{${DARK}}
@media (prefers-color-scheme:dark){.root.auto{${DARK}}}
*,*::before,*::after{box-sizing:border-box}
[hidden]{display:none!important}
.panel{pointer-events:auto;position:absolute;inset-block-end:calc(4.4em + var(--gap));inset-inline-end:0;display:flex;flex-direction:column;
inline-size:min(24.5em,100vw - 2*var(--gap));block-size:min(42em,100dvh - 5.4em - 2*var(--gap));min-block-size:min(20em,100dvh);overflow:hidden;
background:var(--bg);color:var(--fg);border-radius:var(--radius);box-shadow:var(--shadow),0 0 0 1px var(--line);line-height:1.45;animation:rise .18s ease-out}
@keyframes rise{from{opacity:0;transform:translateY(.75em)}}
h2,p,ul,ol,fieldset,legend,pre,blockquote{margin:0;padding:0;border:0;min-inline-size:0}
button,input,select,textarea{font:inherit;color:inherit;letter-spacing:inherit}
button{cursor:pointer;border:0;background:none;padding:0;border-radius:.5em}
a{color:var(--link);text-decoration:underline;text-underline-offset:.15em;overflow-wrap:anywhere}
:focus{outline:none}
:focus-visible{outline:.1875em solid var(--focus);outline-offset:.125em}
svg{inline-size:1.25em;block-size:1.25em;fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round;flex:none;display:block}
.vh{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.icon{display:grid;place-items:center;inline-size:2.5em;block-size:2.5em;border-radius:50%;flex:none}
.icon:hover{background:color-mix(in srgb,currentColor 12%,transparent)}
.btn{min-block-size:2.5em;padding:.45em 1em;border-radius:.625em;font-weight:600;background:var(--accent);color:var(--on-accent)}
.btn:hover{background:color-mix(in srgb,var(--accent) 88%,#000)}
.btn.quiet{background:transparent;color:var(--fg);box-shadow:inset 0 0 0 1px var(--edge)}
.btn.quiet:hover{background:var(--soft)}
.mini{min-block-size:1.75em;padding:0 .25em;color:inherit;text-decoration:underline;text-underline-offset:.15em}

header{display:flex;align-items:center;gap:.25em;padding:.75em .625em .75em 1.125em;padding-inline:1.125em .625em;background:var(--accent);color:var(--on-accent);
--focus:var(--on-accent);position:relative;z-index:3}
.title{flex:1;min-inline-size:0}
.title h2{font-size:1.0625em;font-weight:650;line-height:1.3;overflow-wrap:anywhere}
.title p{font-size:.8125em;display:flex;gap:.5em;align-items:baseline}
.dot{inline-size:.5em;block-size:.5em;border-radius:50%;background:#ffd27a;flex:none;align-self:center}
.dot.open{background:#7ff0ae}
.menu{position:absolute;inset-block-start:calc(100% - .25em);inset-inline-end:.625em;min-inline-size:14em;max-inline-size:calc(100% - 1.25em);padding:.375em;background:var(--bg);color:var(--fg);
border-radius:.75em;box-shadow:var(--shadow),0 0 0 1px var(--line);--focus:var(--accent-line)}
.menu button,.menu a{display:flex;align-items:center;gap:.625em;inline-size:100%;min-block-size:2.5em;padding:.375em .625em;text-align:start;color:inherit;text-decoration:none;border-radius:.5em}
.menu button:hover,.menu a:hover{background:var(--soft)}
.menu small{color:var(--dim);font-size:.8125em;margin-inline-start:auto;padding-inline-start:.75em}
.menu hr{border:0;block-size:1px;background:var(--line);margin:.375em .625em}

.bar{padding:.5em 1.125em;font-size:.875em;background:var(--note);color:var(--note-fg);display:flex;flex-wrap:wrap;gap:.125em .75em;align-items:center}
.bar:empty{display:none}
.bar.bad{background:var(--bad-bg);color:var(--bad)}
.bar a{color:inherit}.bar .mini{margin-inline-start:-.25em}

.scroll{flex:1;min-block-size:0;overflow-y:auto;overscroll-behavior:contain;padding:1em 1.125em .5em;display:flex;flex-direction:column;position:relative;scrollbar-width:thin}
.hello{padding-block:.25em 1em}
.hello .big{font-size:1.3125em;font-weight:650;line-height:1.25;letter-spacing:-.01em}
.hello p+p{color:var(--dim);margin-block-start:.375em}
.hours{display:flex;gap:.625em;align-items:flex-start;margin-block-start:.875em;padding:.75em .875em;border-radius:.75em;background:var(--soft);font-size:.9375em}
.hours svg{margin-block-start:.1em;color:var(--dim)}
.hours b{font-weight:600;display:block}
.log{display:flex;flex-direction:column}.log:not(:empty){margin-block-start:auto}
.day{align-self:center;margin:.875em 0 .5em;font-size:.8125em;color:var(--dim)}
.day::first-letter{text-transform:uppercase}
.msg{display:flex;flex-direction:column;align-items:flex-start;max-inline-size:86%;margin-block-start:.25em;align-self:flex-start}
.msg.first{margin-block-start:.75em}
.msg.me{align-self:flex-end;align-items:flex-end}
.who{display:flex;align-items:center;gap:.5em;font-size:.8125em;color:var(--dim);margin-block-end:.25em}
.face{inline-size:1.75em;block-size:1.75em;border-radius:50%;display:grid;place-items:center;background:var(--accent);color:var(--on-accent);font-size:.875em;font-weight:650}
.bubble{padding:.5625em .8125em;border-radius:1.125em;border-end-start-radius:.3125em;background:var(--them);overflow-wrap:anywhere;white-space:pre-wrap;max-inline-size:100%}
.me .bubble{background:var(--me);color:var(--on-me);border-radius:1.125em;border-end-end-radius:.3125em;--focus:var(--on-me)}
.me .bubble a{color:inherit}
.rich{white-space:normal}.rich>*+*{margin-block-start:.5em}.rich ul,.rich ol{padding-inline-start:1.25em}
.rich pre,.rich code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em}.rich pre{white-space:pre-wrap}
.rich blockquote{border-inline-start:.1875em solid var(--edge);padding-inline-start:.625em}
.gone .bubble{font-style:italic;color:var(--dim);background:transparent;box-shadow:inset 0 0 0 1px var(--line)}
.waiting .bubble{opacity:.72}
.unsent .bubble{opacity:1;background:var(--bad-bg);color:var(--bad);box-shadow:inset 0 0 0 1px var(--bad)}
.meta{display:flex;flex-wrap:wrap;align-items:center;gap:0 .5em;font-size:.75em;color:var(--dim);padding:.1875em .25em 0}
.unsent .meta{color:var(--bad)}
.meta svg{inline-size:1em;block-size:1em}
.state{display:inline-flex;align-items:center;gap:.25em}
.files{display:flex;flex-direction:column;gap:.375em;margin-block-start:.375em;inline-size:100%}
.file{display:flex;align-items:center;gap:.625em;min-block-size:2.75em;padding:.375em .75em;border-radius:.75em;box-shadow:inset 0 0 0 1px var(--line);background:var(--bg);color:var(--fg);text-decoration:none;font-size:.9375em}
.file span{flex:1;min-inline-size:0}.file b{font-weight:600;display:block;overflow-wrap:anywhere}.file small{color:var(--dim);font-size:.8125em}
a.file:hover{background:var(--soft)}
.notice{align-self:center;text-align:center;font-size:.8125em;color:var(--dim);margin-block:.625em;max-inline-size:92%}
.card{align-self:stretch;margin-block:.75em .25em;padding:.875em 1em;border-radius:.875em;background:var(--soft);box-shadow:inset 0 0 0 1px var(--line)}
.card p{font-size:.875em;color:var(--dim);margin-block-start:.25em}
.card strong{font-weight:650}
.ticket{display:flex;align-items:center;gap:.5em;flex-wrap:wrap}
.ticket svg{color:var(--ok)}
.ticket code{font:inherit;font-weight:700;font-variant-numeric:tabular-nums;user-select:all}
.ticket .mini{margin-inline-start:auto;color:var(--link);font-size:.875em}
.typing{display:flex;align-items:center;gap:.5em;font-size:.8125em;color:var(--dim);min-block-size:1.75em;padding-block-start:.25em}
.typing i{display:flex;gap:.2em}
.typing i::before,.typing i::after,.typing i b{content:"";inline-size:.375em;block-size:.375em;border-radius:50%;background:currentColor;animation:blink 1.2s infinite}
.typing i b{animation-delay:.2s}.typing i::after{animation-delay:.4s}
@keyframes blink{50%{opacity:.25}}
.more{align-self:center}
.jump{position:absolute;inset-block-end:.625em;inset-inline:0;margin-inline:auto;inline-size:fit-content;display:flex;align-items:center;gap:.375em;padding:.375em .875em;min-block-size:2em;border-radius:2em;background:var(--bg);color:var(--fg);
box-shadow:var(--shadow),0 0 0 1px var(--line);font-size:.875em;font-weight:600}
.view{position:relative;display:flex;flex-direction:column;flex:1;min-block-size:0}

.fields{display:grid;gap:.75em;padding-block:.25em .5em}
.field{display:grid;gap:.25em}
.field label,.label{font-size:.875em;font-weight:600}
.field .opt{font-weight:400;color:var(--dim)}
.field input,.field select,.field textarea{inline-size:100%;min-block-size:2.75em;padding:.5em .75em;border-radius:.625em;border:1px solid var(--edge);background:var(--bg);font-size:max(16px,1em)}
.field textarea{resize:vertical}
.field.check{grid-template-columns:auto 1fr;align-items:center;column-gap:.625em}.field.check input{inline-size:1.25em;min-block-size:1.25em;accent-color:var(--accent)}.field.check .err{grid-column:1/-1}
.field [aria-invalid=true]{border-color:var(--bad);box-shadow:0 0 0 1px var(--bad)}
.err{color:var(--bad);font-size:.8125em;display:flex;gap:.375em;align-items:flex-start}
.err:empty{display:none}
.field input:focus-visible,.field select:focus-visible,.field textarea:focus-visible{outline-offset:0}

.foot{border-block-start:1px solid var(--line);background:var(--bg);padding:.625em .75em;padding-block-end:max(.625em,env(safe-area-inset-bottom))}
.compose{display:flex;align-items:flex-end;gap:.25em;border:1px solid var(--edge);border-radius:1.375em;padding:.1875em}
.compose:focus-within{outline:.125em solid var(--accent-line);outline-offset:-1px}
.compose textarea{flex:1;min-inline-size:0;resize:none;border:0;background:none;padding:.5em .25em;font-size:max(16px,1em);line-height:1.4;max-block-size:9em;min-block-size:2.4em;field-sizing:content;outline:none}
.compose textarea::placeholder{color:var(--dim);opacity:1}
.compose .send{background:var(--accent);color:var(--on-accent)}
.compose .send:hover{background:color-mix(in srgb,var(--accent) 88%,#000)}
[dir=rtl] .flip{transform:scaleX(-1)}
.drop .compose{border-style:dashed;border-color:var(--accent-line);background:var(--soft)}
.picked{display:flex;flex-direction:column;gap:.375em;margin-block-end:.5em;max-block-size:9em;overflow:auto}
.picked:empty{display:none}
.picked .file{padding-inline-end:.25em}
.picked .file.bad{box-shadow:inset 0 0 0 1px var(--bad)}.picked .file.bad small{color:var(--bad)}
.hint{display:flex;justify-content:space-between;gap:1em;font-size:.8125em;color:var(--dim);padding:.375em .5em 0}
.hint:empty{display:none}
.over{color:var(--bad);font-weight:600}
.end{display:grid;gap:.625em;padding:.375em}
.end p{font-size:.9375em;text-align:center}
.card .btn[type=submit]:last-child{margin-block-start:.625em}.row .btn.btn{margin:0}header svg{stroke-width:2.25}.row{display:flex;flex-wrap:wrap;gap:.5em}.row .btn{flex:1 1 8em}.row.join{flex-wrap:nowrap}.row.join input{flex:1;inline-size:auto;min-inline-size:0}.row.join .btn{flex:none}
.stars{display:flex;justify-content:space-between;gap:.25em;margin-block:.625em}
.stars label{position:relative;flex:1;display:grid;justify-items:center;gap:.125em;padding:.375em 0;border-radius:.75em;cursor:pointer;color:var(--dim);min-inline-size:2.5em}
.stars label:hover{background:var(--bg)}
.stars svg{inline-size:2.125em;block-size:2.125em;stroke-width:1.5}
.stars input{position:absolute;inset:0;inline-size:100%;block-size:100%;margin:0;opacity:0;cursor:pointer}
.stars label:has(:checked){color:var(--on-accent);background:var(--accent)}
.stars label:has(:focus-visible){outline:.1875em solid var(--focus);outline-offset:.125em}
.stars span{font-size:.75em}
.scale{display:flex;justify-content:space-between;font-size:.8125em;color:var(--dim);margin-block-end:.625em}

.root.page .panel{position:static;inline-size:min(46em,100%);block-size:100%;margin-inline:auto;animation:none;border-radius:0;box-shadow:0 0 0 1px var(--line)}
.root.full .panel{position:fixed;inset:0;inset-block-start:var(--top,0);inline-size:auto;block-size:var(--tall,100dvh);border-radius:0;min-block-size:0;box-shadow:none}
@media (forced-colors:active){.panel,.menu,.bubble,.card,.btn,.jump,.file{border:1px solid CanvasText}.dot{forced-color-adjust:none}.stars label:has(:checked){outline:.25em solid Highlight}
header,.foot{border-block:1px solid CanvasText}}
@media (prefers-reduced-motion:reduce){*,*::before,*::after{animation:none!important;transition:none!important;scroll-behavior:auto!important}}
@media print{.foot,header button{display:none}}
`;
