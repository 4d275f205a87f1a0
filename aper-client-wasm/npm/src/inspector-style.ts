/** How the panel looks, whatever the page around it looks like. */
export const panelStyle = `
:host {
  all: initial;
  color-scheme: light dark;
  --panel: #ffffff; --raised: #efefeb; --ink: #1c1d20; --muted: #5b5f66; --line: #d5d5ce;
  --accent: #0b57c4; --changed: #fff1c7; --mark: #8a5a00; --removed: #fde4e1; --bad: #a5281b;
  --good: #1f7a3d; --string: #1f6b36; --number: #7a2fe0; --word: #a1440a;
}
@media (prefers-color-scheme: dark) {
  :host {
    --panel: #1a1d21; --raised: #24282d; --ink: #e7e7e4; --muted: #a3a8b0; --line: #3a4047;
    --accent: #86b6ff; --changed: #46390f; --mark: #f0c25b; --removed: #4b2420; --bad: #ff9d92;
    --good: #5fc981; --string: #8ed8a2; --number: #c9a6ff; --word: #f2a97c;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
aside {
  position: fixed; right: 8px; bottom: 8px; z-index: 2147483647;
  display: flex; flex-direction: column;
  width: min(420px, calc(100vw - 16px)); height: min(480px, calc(100vh - 16px));
  border: 1px solid var(--line); border-radius: 10px; background: var(--panel); color: var(--ink);
  box-shadow: 0 8px 30px rgb(0 0 0 / 25%);
  font: 12px/1.45 system-ui, sans-serif; text-align: left;
}
header { display: flex; align-items: center; gap: 8px; padding: 6px 6px 6px 12px; }
.status { flex: 1; color: var(--muted); }
.status[data-connection='online'] { color: var(--good); }
.status[data-connection='offline'] { color: var(--bad); }
button {
  padding: 2px 8px; border: 1px solid transparent; border-radius: 6px;
  background: none; color: inherit; font: inherit; cursor: pointer;
}
button:hover { background: var(--raised); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }
.close { min-width: 28px; font-size: 16px; }
dl, ol, ul, p, dd { margin: 0; padding: 0; list-style: none; }
.facts { display: flex; flex-wrap: wrap; gap: 0 14px; padding: 0 12px 6px; }
.facts div { display: flex; gap: 4px; }
dt { color: var(--muted); }
nav { display: flex; gap: 2px; padding: 0 8px; border-bottom: 1px solid var(--line); }
nav button { border-radius: 6px 6px 0 0; border-bottom: 2px solid transparent; }
nav button[aria-selected='true'] { border-bottom-color: var(--accent); font-weight: 600; }
section { flex: 1; overflow: auto; padding: 6px 12px; }
.which { display: flex; align-items: center; gap: 8px; min-height: 24px; color: var(--muted); }
.live { border-color: var(--accent); color: var(--accent); }
code, .tree { font: 12px/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.log button {
  display: grid; grid-template-columns: auto 1fr; gap: 0 8px; width: 100%; text-align: left;
  border-bottom: 1px solid var(--line); border-radius: 0;
}
.log code { grid-column: 1 / -1; }
.log time { color: var(--muted); font-variant-numeric: tabular-nums; }
.log [aria-pressed='true'] { background: var(--raised); }
.log [data-kind='refused'] .kind { color: var(--bad); }
.log [data-kind='confirmed'] .kind { color: var(--good); }
.log [data-kind='pending'] .kind { color: var(--mark); }
.nothing { color: var(--muted); padding: 8px 0; }
.presence { display: grid; grid-template-columns: auto 1fr; gap: 4px 10px; align-content: start; }
.presence .nothing { grid-column: 1 / -1; }
.tree { padding-left: 8px; }
.tree ul { padding-left: 16px; }
.tree li { outline: none; }
.tree .line { display: inline-block; max-width: 100%; padding-right: 4px; border-radius: 4px; }
.tree li:focus-visible > .line { outline: 2px solid var(--accent); }
.tree .twist { display: inline-block; width: 14px; color: var(--muted); }
.tree .name { color: var(--accent); }
.tree .string { color: var(--string); }
.tree .number, .tree .bigint { color: var(--number); }
.tree .boolean, .tree .null { color: var(--word); }
.tree .preview, .tree .empty, .tree .rest { color: var(--muted); }
.tree .rest { padding-left: 14px; cursor: pointer; }
.tree .changed > .line { background: var(--changed); }
.tree .removed > .line { background: var(--removed); text-decoration: line-through; }
.tree .changed > .line span, .tree .removed > .line span { color: var(--ink); }
.tree .mark { display: inline-block; width: 12px; margin-left: -12px; font-size: 8px; }
.tree .changed > .line .mark { color: var(--mark); }
`;
