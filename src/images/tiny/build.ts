import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Architecture } from '../../params/architecture.js'
import { VmStatesError } from '../../params/errors.js'
import { runTool } from '../run-tool.js'
import { cpioArchive } from './cpio.js'
import { makeDisk } from './filesystem.js'
import {
  EARLY_MODULES,
  FILESYSTEM_MODULES,
  guestFiles,
  INITRAMFS_INIT,
  lateModules,
  SCSI_MODULES,
  UEFI_MODULES,
} from './guest-files.js'
import { type KernelModule, modulesDep, readKernelModules } from './kernel-modules.js'
import { downloadHostBusybox, downloadPackages } from './packages.js'
import { writeRootTree } from './root-tree.js'
import { unpackedPath } from './unpacked-path.js'

/** Names of the files that {@link buildTiny} makes. */
export const TINY_FILES = { disk: 'disk.qcow2', kernel: 'kernel', initrd: 'initrd' } as const

const DIRECTORY = 0o040755
const EXECUTABLE = 0o100755
const FILE = 0o100644
const CONSOLE = 0o020600

function initramfs(busybox: Buffer, release: string, modules: readonly KernelModule[]): Buffer {
  const directories = ['bin', 'dev', 'proc', 'sys', 'root', 'lib', 'lib/modules']
  const moduleDirectory = `lib/modules/${release}`
  const loaded = modules.map(({ name, content }) => ({
    path: `${moduleDirectory}/${name}.ko`,
    mode: FILE,
    data: content,
  }))
  return cpioArchive([
    ...[...directories, moduleDirectory].map((path) => ({ path, mode: DIRECTORY })),
    { path: 'dev/console', mode: CONSOLE, device: [5, 1] },
    { path: 'bin/busybox', mode: EXECUTABLE, data: busybox },
    { path: 'init', mode: EXECUTABLE, data: Buffer.from(INITRAMFS_INIT) },
    ...loaded,
    { path: `${moduleDirectory}/modules.dep`, mode: FILE, data: Buffer.from(modulesDep(modules)) },
  ])
}

/**
 * Builds the built-in guest from packages of the host's distribution, without root and without
 * installing anything: a kernel, busybox, the QEMU guest agent and its libraries.
 *
 * @param arch - what the guest's CPUs are
 * @param directory - an existing directory, which gets the {@link TINY_FILES}
 * @throws VmStatesError `TINY_UNAVAILABLE`, `TOOL_MISSING`, `TOOL_FAILED`, `ABORTED`
 */
export async function buildTiny(
  directory: string,
  arch: Architecture,
  signal?: AbortSignal,
  onProgress: (message: string) => void = () => {},
): Promise<void> {
  const work = await mkdtemp(join(directory, '.work-'))
  try {
    const packages = await downloadPackages(work, { arch }, signal, onProgress)
    const host = join(work, 'host')
    const hostBusybox = await downloadHostBusybox(host, arch, signal, onProgress)
    onProgress('building the tiny guest')
    const unpacked = await unpack(packages, join(work, 'unpacked'), signal)
    const runnable = hostBusybox && (await unpack(hostBusybox, join(host, 'unpacked'), signal))
    const busybox = await unpackedPath(runnable ?? unpacked, 'bin/busybox')

    const kernel = (await readdir(join(unpacked, 'boot'))).find((name) =>
      name.startsWith('vmlinuz-'),
    )
    if (kernel === undefined) {
      throw new VmStatesError('TINY_UNAVAILABLE', 'the downloaded packages hold no kernel')
    }
    const release = kernel.slice('vmlinuz-'.length)
    const moduleDirectory = await unpackedPath(unpacked, `lib/modules/${release}`)
    const needed = EARLY_MODULES
    const early = await readKernelModules(moduleDirectory, { needed }, signal)
    const wanted = [...lateModules(arch), ...SCSI_MODULES, ...UEFI_MODULES, ...FILESYSTEM_MODULES]
    const all = await readKernelModules(moduleDirectory, { needed, wanted }, signal)

    const root = join(work, 'root')
    const files = guestFiles(arch)
    await writeRootTree(unpacked, root, { busybox, files, release, modules: all })
    await makeDisk(root, join(directory, TINY_FILES.disk), signal)
    await copyFile(join(unpacked, 'boot', kernel), join(directory, TINY_FILES.kernel))
    const guestBusybox = await readFile(join(root, 'bin/busybox'))
    await writeFile(join(directory, TINY_FILES.initrd), initramfs(guestBusybox, release, early))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function unpack(
  packages: readonly string[],
  directory: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  await mkdir(directory)
  for (const file of packages) await runTool('dpkg-deb', ['-x', file, directory], { signal })
  return directory
}
