import { Html, html } from './html.js';
import { STYLE } from './style.js';

export interface Page {
  readonly title: string;
  /** Lines below the title. */
  readonly about: readonly string[];
  readonly parts: readonly Html[];
}

/** A page of its own: everything is in it, and nothing of it is fetched or run. */
export function pageOf({ title, about, parts }: Page): string {
  const lines = about.map((line) => html`<p class="about">${line}</p>`);
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${lines}
</header>
<main>
${parts}
</main>
</body>
</html>
`;
  return text;
}

/** Parts under a heading. */
export function section(title: string, parts: readonly Html[]): Html {
  return html`<section class="card">
<h2>${title}</h2>
${parts}
</section>`;
}

export interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
  readonly tone?: 'good' | 'bad';
}

/** The figures that are looked for first. */
export function tiles(all: readonly Tile[]): Html {
  const items = all.map(
    ({ name, value, note = '', tone = '' }) =>
      html`<div class="tile ${tone}"><dt>${name}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`,
  );
  return html`<dl class="tiles">
${items}
</dl>`;
}

export interface Table {
  readonly head: readonly string[];
  /** A row may have a tone. */
  readonly rows: readonly (
    | readonly string[]
    | { readonly cells: readonly string[]; readonly tone: 'good' | 'bad' }
  )[];
}

/** The first column is text, the others are figures. */
export function table({ head, rows }: Table): Html {
  const heads = head.map((name) => html`<th scope="col">${breakable(name)}</th>`);
  const body = rows.map((row) => {
    const { cells, tone } = 'cells' in row ? row : { cells: row, tone: '' };
    const [first = '', ...rest] = cells;
    const others = rest.map((cell) => html`<td>${cell}</td>`);
    return html`<tr class="${tone}"><th scope="row">${first}</th>${others}</tr>`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${head.join(', ')}"><table>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}
</tbody>
</table></div>`;
}

/** The name of a column may be a list of settings, which is wider than a phone. */
function breakable(name: string): Html {
  return new Html(html`${name}`.text.replaceAll(',', ',<wbr>'));
}
