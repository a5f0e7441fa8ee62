import { mkdirSync, writeFileSync } from 'node:fs';
import { generatedDrawings, generatedLayouts, generatedOutlines } from './layouts.js';
import { generatedPages } from './pages.js';

/** Writes what is made from the code: layouts of the machines, then drawings and pages of docs/. */
write('src/graph/layouts', await generatedLayouts());
write('src/autoscaler/page', await generatedOutlines());
write('docs', generatedDrawings());
write('docs', generatedPages());

function write(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(new URL(`../${folder}/`, import.meta.url), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(new URL(`../${folder}/${name}`, import.meta.url), text);
    console.log(`${folder}/${name}`);
  }
}
