import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gpuName } from '../../src/model/gpu.js';

const never = new AbortController().signal;

/** A program in the place of nvidia-smi. */
function program(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-gpu-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'nvidia-smi');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('the name of the GPU', () => {
  it.each([
    ['one', 'echo "NVIDIA A100-SXM4-80GB"', 'NVIDIA A100-SXM4-80GB'],
    ['several', 'printf "NVIDIA A100\\r\\nNVIDIA H100\\n"', 'NVIDIA A100, NVIDIA H100'],
    ['nothing', 'true', 'none'],
    ['a failure', 'echo "NVIDIA-SMI has failed"; exit 9', 'none'],
    ['the question', 'test "$*" = "--query-gpu=name --format=csv,noheader" && echo asked', 'asked'],
  ])('where the program says %s', async (_, script, name) => {
    expect(await gpuName({ signal: never, command: program(script) })).toBe(name);
  });

  it('is none where the program is not there', async () => {
    expect(await gpuName({ signal: never, command: '/no/such/program' })).toBe('none');
  });

  it('is none where the program hangs, though a child of it keeps its output open', async () => {
    const command = program('sleep 3 & wait');
    expect(await gpuName({ signal: never, command, timeoutMs: 100 })).toBe('none');
  });

  it('is none where nobody waits for it any more', async () => {
    const abort = new AbortController();
    const name = gpuName({ signal: abort.signal, command: program('sleep 3') });
    abort.abort();
    expect(await name).toBe('none');
    expect(await gpuName({ signal: abort.signal, command: program('echo x') })).toBe('none');
  });
});
