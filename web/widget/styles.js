// One constructable sheet for everything behind the launcher: no style element, no style attribute, so a strict CSP is content.
// Sizes are in em of a base no page can push under 16 px (iOS zooms into smaller inputs); sides are logical, so RTL needs no rules.
const LIGHT = `--bg:var(--guichet-bg,#fff);--fg:var(--guichet-text,#16202e);--soft:#f3f5f8;--line:#d9dfe7;--edge:#7b8798;--dim:#566173;
--them:#eef1f6;--link:#1a4fb8;--bad:#b3261e;--bad-bg:#fdeeed;--ok:#11683c;--note:#fff6df;--note-fg:#5b4300;
--accent-line:var(--accent);--focus:var(--accent-line);--shadow:0 1px 2px #0f1c3014,0 12px 40px #0f1c3033;color-scheme:light`;
const DARK = `--bg:var(--guichet-bg-dark,#161b22);--fg:var(--guichet-text-dark,#e8ecf2);--soft:#1e252e;--line:#323c48;--edge:#8390a2;--dim:#a3aebd;
--them:#262e39;--link:#9dbdff;--bad:#ffb4ab;--bad-bg:#3a2020;--ok:#7fd6a4;--note:#3a3018;--note-fg:#f5dfa6;
--accent-line:#9dbdff;--focus:var(--accent-line);--shadow:0 1px 2px #0006,0 12px 40px #000a;color-scheme:dark`;

export const css = `
.root{${LIGHT}}
.root.dark{${DARK}}
@media (prefers-color-scheme:dark){.root.auto{${DARK}}}
*,*::before,*::after{box-sizing:border-box}
[hidden]{display:none!important}
.panel{pointer-events:auto;position:absolute;bottom:calc(4.4em + var(--gap));inset-inline-end:0;display:flex;flex-direction:column;
width:min(24.5em,100vw - 2*var(--gap));height:min(42em,100dvh - 5.4em - 2*var(--gap));min-height:min(20em,100dvh);overflow:hidden auto;
background:var(--bg);color:var(--fg);border-radius:var(--radius);box-shadow:var(--shadow),0 0 0 1px var(--line);line-height:1.45;animation:rise .18s ease-out}
@keyframes rise{from{opacity:0;transform:translateY(.75em)}}
.day,.who,.meta,.notice,.typing,.hint,.card p,small{font-size:.8em;color:var(--dim)}
.scroll,.log,.msg,.files,.picked,.view{display:flex;flex-direction:column}
.title p,.bar,.hours,.who,.meta,.state,.file,.ticket,.typing,.jump,.err,.head{display:flex;align-items:center;gap:.6em}
h2,p,fieldset,legend{margin:0;padding:0;border:0;min-width:0}
button,input,select,textarea{font:inherit;color:inherit;letter-spacing:inherit}
button{cursor:pointer;border:0;background:none;padding:0;border-radius:.5em}
a{color:var(--link);text-decoration:underline;text-underline-offset:.15em;overflow-wrap:anywhere}
:focus{outline:none}
:focus-visible{outline:.2em solid var(--focus);outline-offset:.1em}
svg{width:1.25em;height:1.25em;fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round;flex:none;display:block}
.vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.icon{display:grid;place-items:center;width:min(2.5em,44px);aspect-ratio:1;border-radius:50%;flex:none}
.btn{min-height:2.5em;padding:.45em 1em;border-radius:.6em;font-weight:600}
.btn,.send,.face,.head,.me .bubble,.stars label:has(:checked){background:var(--accent);color:var(--on-accent)}
.btn:hover,.send:hover{filter:brightness(.9)}.icon:not(.send):hover,.menu>:hover,a.file:hover{background:#8883}
.mini{min-height:1.75em;padding:0 .25em;color:inherit;text-decoration:underline;text-underline-offset:.15em}

.head{gap:.2em;padding-block:.75em;padding-inline:1.1em .6em;--focus:var(--on-accent);position:relative;z-index:3}
.title{flex:1;min-width:0}
.title h2{font-size:1.05em;line-height:1.3;overflow-wrap:anywhere}
.title p{font-size:.8em}
.dot{width:.5em;height:.5em;border-radius:50%;background:#ffd27a;flex:none;align-self:center}
.dot.open{background:#7ff0ae}
.menu{position:absolute;top:calc(100% - .25em);inset-inline-end:.6em;width:min(15em,100% - 1.2em);padding:.4em;background:var(--bg);color:var(--fg);
border-radius:.75em;box-shadow:var(--shadow),0 0 0 1px var(--line);--focus:var(--accent-line)}
.menu>*{display:flex;align-items:center;justify-content:space-between;width:100%;min-height:2.5em;padding:.4em .75em;text-align:start;color:inherit;text-decoration:none;border-radius:.5em}

.bar{padding:.5em 1.1em;font-size:.9em;background:var(--note);color:var(--note-fg);flex-wrap:wrap;row-gap:0}
.bar:empty,.err:empty,.picked:empty,.hint:empty{display:none}

.bar a{color:inherit}

.scroll{flex:1;min-height:0;overflow-y:auto;overscroll-behavior:contain;padding:1em 1.1em .5em;position:relative;scrollbar-width:thin}
.hello{padding-block:.25em 1em}
.big{font-size:1.3em;font-weight:650;line-height:1.25}
.hello p+p{color:var(--dim);margin-top:.4em}
.hours{align-items:flex-start;margin-top:.9em;padding:.75em .9em;border-radius:.75em;background:var(--soft);font-size:.95em}
.hours b{display:block}
.log:not(:empty){margin-top:auto}
.day{align-self:center;margin:.9em 0 .5em}
.day::first-letter{text-transform:uppercase}
.msg{align-items:flex-start;max-width:86%;margin-top:.25em;align-self:flex-start}
.msg.first{margin-top:.75em}
.msg.me{align-self:flex-end;align-items:flex-end}
.who{margin-bottom:.25em}
.face{width:2.2em;aspect-ratio:1;border-radius:50%;display:grid;place-items:center;font-size:.8em;font-weight:650}
.bubble{padding:.6em .8em;border-radius:1.1em;border-end-start-radius:.3em;background:var(--them);overflow-wrap:anywhere;white-space:pre-wrap;max-width:100%}
.me .bubble{border-radius:1.1em;border-end-end-radius:.3em;--focus:var(--on-accent)}
.me .bubble a{color:inherit}
.waiting .bubble{opacity:.72}
.unsent .bubble,.bar.bad{background:var(--bad-bg);color:var(--bad)}
.meta{flex-wrap:wrap;row-gap:0;padding:.2em .25em 0}
.unsent .meta{color:var(--bad)}
.meta svg{width:1em;height:1em}
.state{gap:.2em}
.files{gap:.4em;margin-top:.4em;width:100%}
.file{min-height:2.75em;padding:.4em .75em;border-radius:.75em;box-shadow:inset 0 0 0 1px var(--line);background:var(--bg);color:var(--fg);text-decoration:none;font-size:.95em}
.file span{flex:1;min-width:0}.file b{display:block;overflow-wrap:anywhere}
.notice{align-self:center;text-align:center;margin-block:.6em;max-width:92%}
.card{align-self:stretch;margin-block:.75em .25em;padding:.9em 1em;border-radius:.9em;background:var(--soft);box-shadow:inset 0 0 0 1px var(--line)}
.card p{margin-top:.25em}
.ticket svg{color:var(--ok)}
.ticket{flex-wrap:wrap}.ticket span{flex:1 1 9em}.ticket code{display:block;overflow-wrap:anywhere;font:inherit;font-weight:700;user-select:all}
.ticket .mini{margin-inline-start:auto;color:var(--link)}
.typing{min-height:1.75em;padding-top:.25em}
.typing i{font-style:normal;letter-spacing:.1em;animation:blink 1s infinite alternate}
@keyframes blink{to{opacity:.3}}
.more{align-self:center}
.jump{position:absolute;bottom:.6em;inset-inline:0;margin-inline:auto;width:fit-content;padding:.4em .9em;min-height:2em;border-radius:2em;background:var(--bg);color:var(--fg);
box-shadow:var(--shadow),0 0 0 1px var(--line);font-size:.9em;font-weight:600}
.view{position:relative;flex:1 0 8em;max-height:100%;overflow:hidden}

.fields{display:grid;gap:.75em;padding-block:.25em .5em}
.field{display:grid;gap:.25em}
.field label,.label{font-size:.9em;font-weight:600}
.field .opt{font-weight:400;color:var(--dim)}
.field input,.field select,.field textarea{width:100%;min-height:2.75em;padding:.5em .75em;border-radius:.6em;border:1px solid var(--edge);background:var(--bg);font-size:max(16px,1em)}
.field [aria-invalid=true]{border-color:var(--bad);box-shadow:0 0 0 1px var(--bad)}
.err{color:var(--bad);font-size:.9em}

.foot{border-top:1px solid var(--line);background:var(--bg);padding:.6em .75em;padding-bottom:max(.6em,env(safe-area-inset-bottom))}
.compose{display:flex;align-items:flex-end;gap:.25em;border:1px solid var(--edge);border-radius:1.4em;padding:.2em}
.compose:focus-within{outline:.1em solid var(--accent-line);outline-offset:-1px}
.compose textarea{flex:1;min-width:0;resize:none;border:0;background:none;padding:.5em .25em;font-size:max(16px,1em);line-height:1.4;max-height:9em;min-height:2.4em;field-sizing:content;outline:none}
::placeholder{color:var(--dim);opacity:1}
[dir=rtl] .flip{transform:scaleX(-1)}
.drop .compose{border-style:dashed;background:var(--soft)}
.picked{gap:.4em;margin-bottom:.5em;max-height:9em;overflow:auto}
.picked .file{padding-inline-end:.25em}
.picked .file.bad{box-shadow:inset 0 0 0 1px var(--bad)}.picked .file.bad small{color:var(--bad)}
.hint{padding:.4em .5em 0}
.card>.btn{margin-top:.6em}.head svg{stroke-width:2.25}
.stars{display:flex;justify-content:space-between;gap:.25em;margin-block:.6em}
.stars label{position:relative;flex:1;display:grid;justify-items:center;min-width:0;padding:.4em 0;border-radius:.75em}
.stars svg{width:min(2.1em,100%);height:auto;stroke-width:1.5}
.stars input{position:absolute;inset:0;width:100%;height:100%;margin:0;opacity:0;cursor:pointer}
.stars label:has(:focus-visible){outline:.2em solid var(--focus);outline-offset:.1em}
.stars span{font-size:.75em}

.root.page .panel{position:static;width:min(46em,100%);height:100%;margin-inline:auto;animation:none;border-radius:0;box-shadow:0 0 0 1px var(--line)}
.root.full .panel{position:fixed;inset:0;top:var(--top,0);width:auto;height:var(--tall,100dvh);border-radius:0;min-height:0;box-shadow:none}
@media (forced-colors:active){.panel,.menu,.bubble,.card,.btn,.jump,.file{border:1px solid CanvasText}.dot{forced-color-adjust:none}.stars label:has(:checked){outline:.25em solid Highlight}
.head,.foot{border-block:1px solid CanvasText}}
@media (prefers-reduced-motion:reduce){*,*::before,*::after{animation:none!important;transition:none!important;scroll-behavior:auto!important}}
`;
