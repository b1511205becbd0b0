/** How the reference looks: by itself in light and dark, on wide and narrow screens, on paper. */

export const DOCS_STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c2230, #dfe3ec);
  --soft: light-dark(#5c6577, #98a1b3);
  --page: light-dark(#ffffff, #13161d);
  --raised: light-dark(#f5f6f9, #1b1f29);
  --line: light-dark(#dde1e9, #2d3341);
  --link: light-dark(#1a56c4, #86b2ff);
  --get: light-dark(#11673a, #6fd39b);
  --post: light-dark(#8a4b00, #f0b45f);
  --delete: light-dark(#a3211f, #ff8f88);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0;
  display: grid;
  grid-template-columns: 21rem minmax(0, 1fr);
  background: var(--page);
  color: var(--text);
  font: 16px/1.55 system-ui, sans-serif;
}
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font: 0.875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.soft { color: var(--soft); font-size: 0.875em; font-weight: normal; }
nav {
  position: sticky;
  top: 0;
  height: 100vh;
  overflow-y: auto;
  padding: 1.5rem 1.25rem;
  background: var(--raised);
  border-right: 1px solid var(--line);
  font-size: 0.875rem;
}
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: 0.2rem 0; color: var(--text); overflow-wrap: anywhere; }
nav li a { display: grid; grid-template-columns: 3.6rem minmax(0, 1fr); align-items: baseline; }
.brand { margin: 0 0 1rem; font-size: 1.125rem; font-weight: 650; }
.tag { margin: 1.25rem 0 0.25rem; font-weight: 650; }
main { width: 100%; max-width: 62rem; padding: 2rem 2.5rem 6rem; }
h1 { margin: 0 0 0.5rem; font-size: 2rem; line-height: 1.2; }
h2 { margin: 3.5rem 0 1rem; font-size: 1.5rem; }
h3 { margin: 0 0 0.75rem; font-size: 1.0625rem; overflow-wrap: anywhere; }
h3 a { color: inherit; }
h4 { margin: 1.25rem 0 0.4rem; font-size: 0.9375rem; }
article { padding: 1.5rem 0; border-top: 1px solid var(--line); }
article:target h3, tr:target { background: light-dark(#fff3c9, #3a3212); }
.summary { margin: 0 0 0.5rem; font-weight: 500; }
.type { margin: 0.5rem 0; }
.method {
  font: 700 0.75rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  text-transform: uppercase;
}
.get { color: var(--get); }
.post { color: var(--post); }
.delete { color: var(--delete); }
.s2 { color: var(--get); }
.s4 { color: var(--post); }
.s5 { color: var(--delete); }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
th, td { padding: 0.4rem 0.75rem 0.4rem 0; text-align: left; vertical-align: top; }
th { color: var(--soft); font-size: 0.8125rem; font-weight: 500; }
th:nth-child(1) { width: 14rem; }
th:nth-child(2) { width: 13rem; }
tbody tr { border-top: 1px solid var(--line); }
td { overflow-wrap: anywhere; }
details { margin-top: 0.4rem; }
details table { margin: 0.4rem 0; padding-left: 0.75rem; border-left: 2px solid var(--line); }
details th:nth-child(n), details td:nth-child(n) { width: auto; padding-left: 0.75rem; }
summary { color: var(--link); cursor: pointer; font-size: 0.875rem; }
pre {
  margin: 0;
  padding: 0.9rem 1rem;
  overflow-x: auto;
  background: var(--raised);
  border: 1px solid var(--line);
  border-radius: 6px;
}
@media (max-width: 60rem) {
  body { display: block; }
  nav { position: static; height: auto; max-height: 45vh; border: 0; }
  main { padding: 1.5rem 1rem 4rem; }
  table, tbody, tr, td { display: block; width: 100%; }
  thead { display: none; }
  tbody tr { padding: 0.5rem 0; }
  td { padding: 0.1rem 0; }
}
@media print {
  body { display: block; }
  nav { display: none; }
}
`;
