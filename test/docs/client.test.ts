import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLIENT_ERRORS } from '../../src/client/index.js';

const page = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8');

describe('the page of the client', () => {
  it('has each error with what to do about it, as the code has it', () => {
    const section = page.slice(page.indexOf('## Errors'), page.indexOf('## In browsers'));
    const rows = [...section.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, code, advice]) => [code, advice]);
    expect(rows).toEqual(Object.entries(CLIENT_ERRORS));
  });

  it('has each event', () => {
    const section = page.slice(page.indexOf('## Events'), page.indexOf('## Errors'));
    const names = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(names).toEqual(['waiting', 'routed', 'retry', 'ended', 'sessionEnded']);
  });
});
