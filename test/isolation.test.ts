import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('.', import.meta.url);

it('files that mock a module, and no others, are named so that they run apart', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.test.ts'),
  );
  const mocking = files.filter((path) =>
    /^vi\.(mock|doMock|resetModules)\(/m.test(readFileSync(new URL(path, root), 'utf8')),
  );
  expect(mocking.length).toBeGreaterThan(0);
  expect(mocking).toEqual(files.filter((path) => path.endsWith('.isolated.test.ts')));
});
