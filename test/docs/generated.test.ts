import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedDrawings, generatedLayouts } from '../../scripts/layouts.js';
import { generatedPages } from '../../scripts/pages.js';

const layouts = await generatedLayouts();

describe('the pages made from the code', () => {
  it.each(Object.entries({ ...generatedPages(), ...generatedDrawings() }))(
    '%s is current: npm run docs',
    (name, text) => {
      expect(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')).toBe(text);
    },
  );

  it.each(Object.entries(layouts))('the layout %s is current: npm run docs', (name, text) => {
    const file = new URL(`../../src/graph/layouts/${name}`, import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('name the five states of the lifecycle, draining and stopped', () => {
    const page = generatedPages()['lifecycle.md'] ?? '';
    for (const state of ['loading', 'loaded', 'serving', 'reporting', 'failing', 'draining', 'stopped']) {
      expect(page).toContain(`state "${state}"`);
    }
  });
});
