import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedDrawings, generatedLayouts, generatedOutlines } from '../../scripts/layouts.js';
import { generatedPages } from '../../scripts/pages.js';
import { machines } from '../../src/graph/machines.js';

const layouts = Object.entries({
  ...inFolder('src/graph/layouts', await generatedLayouts()),
  ...inFolder('src/autoscaler/page', await generatedOutlines()),
});

describe('the pages made from the code', () => {
  it.each(Object.entries({ ...generatedPages(), ...generatedDrawings() }))(
    '%s is current: npm run docs',
    (name, text) => {
      expect(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')).toBe(text);
    },
  );

  it.each(layouts)('the layout %s is current: npm run docs', (path, text) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text);
  });

  it.each(Object.keys(machines))('are one of the %s machine as well, which the README leads to', (name) => {
    expect(Object.keys(generatedPages())).toContain(`${name}.md`);
    expect(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).toContain(`(docs/${name}.md)`);
  });

  it('name the five states of the lifecycle, draining and stopped', () => {
    const page = generatedPages()['lifecycle.md'] ?? '';
    for (const state of ['loading', 'loaded', 'serving', 'reporting', 'failing', 'draining', 'stopped']) {
      expect(page).toContain(`state "${state}"`);
    }
  });
});

function inFolder(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}
