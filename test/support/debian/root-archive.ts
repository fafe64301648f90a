import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runTool } from '../../../src/images/run-tool.js'
import { CONFIGURE, guestFiles } from './guest-files.js'
import { KEPT, LEFT_OUT, PACKAGES, RELEASE } from './packages.js'

/** The host's own package sources for the guest's release; none on a host of another release. */
async function hostSources(): Promise<string[]> {
  const format = '$(CODENAME) deb $(REPO_URI) $(CODENAME) $(COMPONENT)'
  const targets = ['indextargets', '--format', format, 'Created-By: Packages', 'Origin: Debian']
  const lines = (await runTool('apt-get', targets)).split('\n')
  const own = lines.filter((line) => line.startsWith(RELEASE))
  return [...new Set(own.map((line) => line.slice(line.indexOf(' ') + 1)))]
}

async function writeGuestFiles(directory: string): Promise<void> {
  for (const [path, text] of Object.entries(guestFiles)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    const mode = text.startsWith('#!') ? 0o755 : 0o644
    await writeFile(join(directory, path), text, { mode })
  }
}

/**
 * Installs the guest's packages without root, in a directory that fakechroot shows them as `/`, and
 * packs it. The same for root, so that all users get the same guest.
 *
 * @param work - an existing directory
 * @returns a tar file with owners and permissions as the guest is to have them
 */
export async function makeRootArchive(work: string): Promise<string> {
  const archive = join(work, 'root.tar')
  const files = join(work, 'files')
  await writeGuestFiles(files)
  const temporary = await mkdtemp(join(work, 'mmdebstrap-'))
  await runTool('env', [
    `TMPDIR=${temporary}`,
    'mmdebstrap',
    '--quiet',
    '--mode=fakechroot',
    '--variant=minbase',
    `--include=${PACKAGES.join(',')}`,
    // An interrupted build is thrown away as a whole.
    '--dpkgopt=force-unsafe-io',
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...KEPT.map((path) => `--dpkgopt=path-include=${path}`),
    `--essential-hook=sync-in ${files} /`,
    `--customize-hook=chroot "$1" sh -ec '${CONFIGURE.replaceAll("'", "'\\''")}'`,
    RELEASE,
    archive,
    ...(await hostSources()),
  ])
  await rm(temporary, { recursive: true, force: true })
  return archive
}
