import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedPages } from '../../scripts/pages.js';

describe('the pages made from the code', () => {
  it.each(Object.entries(generatedPages()))('%s is current: npm run docs', (name, text) => {
    expect(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')).toBe(text);
  });

  it('name the five states of the lifecycle, draining and stopped', () => {
    const page = generatedPages()['lifecycle.md'] ?? '';
    for (const state of ['loading', 'loaded', 'serving', 'reporting', 'failing', 'draining', 'stopped']) {
      expect(page).toContain(`state "${state}"`);
    }
  });
});
