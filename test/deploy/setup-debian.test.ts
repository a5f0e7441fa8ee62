import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REPO, Sandbox } from './sandbox.js';

const SETUP = join(REPO, 'scripts/setup-debian.sh');
const PACKAGES = 'fonts-liberation fonts-dejavu-core libfaketime';

let sandbox: Sandbox;

beforeEach(() => {
  sandbox = new Sandbox().withAptGet().withNpm();
});
afterEach(() => sandbox.remove());

function have(programs: readonly string[], packages: readonly string[]): void {
  for (const program of programs) sandbox.program(sandbox.bin, program, '#!/usr/bin/env bash\n');
  // Where systemd runs, the service is masked before the package comes.
  sandbox.program(sandbox.bin, 'systemctl', '#!/usr/bin/env bash\n');
  sandbox.program(
    sandbox.bin,
    'dpkg-query',
    `#!/usr/bin/env bash\n[[ " ${packages.join(' ')} " == *" \${!#} "* ]] || exit 1\nprintf installed\n`,
  );
}

describe('setup-debian.sh', () => {
  test('does nothing when all is there', async () => {
    have(['chromium', 'shellcheck', 'prometheus'], PACKAGES.split(' '));
    expect(await sandbox.run(SETUP)).toMatchObject({
      code: 0,
      stdout: 'setup-debian: all that the tests need is installed\n',
      stderr: '',
    });
    expect(sandbox.record).toEqual([]);
  });

  test.each([
    { programs: [], packages: [], missing: `chromium shellcheck prometheus ${PACKAGES}` },
    {
      programs: ['chromium', 'shellcheck', 'prometheus'],
      packages: ['fonts-dejavu-core', 'libfaketime'],
      missing: 'fonts-liberation',
    },
    { programs: ['chromium', 'shellcheck'], packages: PACKAGES.split(' '), missing: 'prometheus' },
    { programs: ['chromium', 'prometheus'], packages: PACKAGES.split(' '), missing: 'shellcheck' },
  ])('installs $missing, and only that', async ({ programs, packages, missing }) => {
    have(programs, packages);
    const { code, stdout } = await sandbox.run(SETUP);
    expect(code).toBe(0);
    expect(stdout).toBe(`setup-debian: installing ${missing}\nsetup-debian: done\n`);
    expect(sandbox.record).toEqual([
      'apt-get update -qq',
      expect.stringMatching(new RegExp(`^apt-get install -y .*--no-install-recommends ${missing}$`)),
    ]);
  });

  test('says what failed', async () => {
    have([], []);
    const { code, stderr } = await sandbox.run(SETUP, [], { APT_UPDATE_FAILS: '1', APT_FAILS: '1' });
    expect(code).toBe(1);
    expect(stderr).toContain('apt-get update failed');
    expect(stderr).toContain(`apt-get could not install chromium shellcheck prometheus ${PACKAGES}`);
  });
});
