import { writeFileSync } from 'node:fs';
import { generatedPages } from './pages.js';

/** Writes the pages of docs/ that are made from the code. */
for (const [name, text] of Object.entries(generatedPages())) {
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
  console.log(`docs/${name}`);
}
