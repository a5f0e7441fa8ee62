import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../errors.js';

/** Why a user's file could not be imported: where, what, and what to do where that is known. */
export function explainImport(path: string, error: unknown): string {
  const [message = ''] = messageOf(error).split('\n');
  if (!(error instanceof Error)) return `${path}: ${message}`;

  const missing = /^Cannot find package '([^']+)'/.exec(message)?.[1];
  if (missing !== undefined) {
    return `${path} imports ${missing}, which is not installed beside it; run: npm install ${missing}`;
  }
  const [, place, problem] = /^(.+:\d+):\d+: ERROR: (.+)$/m.exec(messageOf(error)) ?? [];
  if (place !== undefined) return `${place}: SyntaxError: ${problem}`;
  if (error instanceof SyntaxError) {
    return `${placeIn(error.stack) ?? placeOfSyntaxError(path) ?? `${path}, or a file that it imports`}: SyntaxError: ${message}${adviceOn(message)}`;
  }
  const where = placeIn(error.stack);
  if (where !== undefined)
    return `${where}: ${message.startsWith('defineBackend: ') ? '' : `${error.name}: `}${message}`;
  return 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    ? `${path}: ${message}`
    : `${path}: ${error.stack ?? message}`;
}

/** The first place in a stack that is neither of Node, nor of a package, nor of this one. */
function placeIn(stack = ''): string | undefined {
  const own = fileURLToPath(new URL('..', import.meta.url));
  for (const [, file = '', line] of stack.matchAll(/(?:^|[ (])((?:file:\/\/)?\/.*?):(\d+)(?::\d+)?\)?$/gm)) {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (!path.startsWith(own) && !path.includes('/node_modules/')) return `${path}:${line}`;
  }
  return undefined;
}

/** Node tells the line of a syntax error in an ES module only to who runs the file, or checks it. */
function placeOfSyntaxError(path: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  return placeIn(stderr);
}

function adviceOn(message: string): string {
  return /outside a module|Unexpected token 'export'/.test(message)
    ? '; it is taken for CommonJS: name it .mjs, or set "type": "module" in the package.json beside it'
    : '';
}
