import {
  access,
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { runTool } from '../run-tool.js'
import { readElfDependencies } from './elf.js'
import type { GuestFile } from './guest-files.js'
import { type KernelModule, modulesDep } from './kernel-modules.js'
import { unpackedPath } from './unpacked-path.js'

const DIRECTORIES = [
  ...[
    'bin',
    'dev',
    'etc',
    'lib',
    'lib64',
    'mnt',
    'proc',
    'root',
    'run',
    'sbin',
    'srv',
    'sys',
    'tmp',
  ],
  ...['usr/bin', 'usr/sbin', 'var/log', 'var/tmp'],
]

/** Not every distribution has it. */
const SSH_SERVER = 'usr/sbin/dropbear'

const STICKY_DIRECTORIES = ['tmp', 'var/tmp']

async function findLibraries(unpacked: string): Promise<Map<string, string>> {
  const paths = await readdir(unpacked, { recursive: true })
  return new Map(
    paths
      .filter((path) => /^(?:usr\/)?lib(?:64)?\/(?:[^/]+\/)?[^/]+\.so(?:\.[^/]+)?$/.test(path))
      .map((path) => [basename(path), join(unpacked, path)]),
  )
}

/** Copies a program and the libraries that it needs, and theirs, from unpacked packages. */
async function copyProgram(unpacked: string, program: string, root: string): Promise<void> {
  const libraries = await findLibraries(unpacked)
  const done = new Set<string>()
  const visit = async (file: string, target: string): Promise<void> => {
    if (done.has(target)) return
    done.add(target)
    await mkdir(join(root, dirname(target)), { recursive: true })
    await copyFile(file, join(root, target))
    const { interpreter, needed } = readElfDependencies(await readFile(file))
    for (const name of [...needed, ...(interpreter === undefined ? [] : [basename(interpreter)])]) {
      const library = libraries.get(name)
      if (library === undefined) {
        throw new VmStatesError('TINY_UNAVAILABLE', `no downloaded package has ${name} for ${file}`)
      }
      const isInterpreter = interpreter !== undefined && name === basename(interpreter)
      const place = isInterpreter
        ? interpreter.slice(1)
        : `lib/${basename(dirname(library))}/${name}`
      await visit(library, place)
    }
  }
  await visit(await unpackedPath(unpacked, program), program)
}

/** @param busybox - one that this host runs */
async function linkApplets(
  busybox: string,
  root: string,
  files: readonly GuestFile[],
): Promise<void> {
  const own = new Set(files.map(({ path }) => path))
  for (const path of (await runTool(busybox, ['--list-full'])).split('\n')) {
    if (own.has(path) || path === 'bin/busybox' || path === '') continue
    await mkdir(join(root, dirname(path)), { recursive: true })
    await symlink('/bin/busybox', join(root, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** What goes into the root filesystem besides programs of packages. */
export interface RootContent {
  /** The same as the guest's, for this host: it tells what it can be called as. */
  busybox: string
  files: readonly GuestFile[]
  /** The kernel's version, as `uname -r` prints it. */
  release: string
  modules: readonly KernelModule[]
}

/** Whatever the umask of whoever builds it says: sshd lets nobody in whose home others may write to. */
async function setModes(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) await chmod(path, 0o755)
    else if (/\.(ko|dep)$/.test(entry.name)) await chmod(path, 0o644)
  }
  await chmod(join(root, 'root'), 0o700)
  for (const path of STICKY_DIRECTORIES) await chmod(join(root, path), 0o1777)
}

/**
 * Lays out the guest's root filesystem as a directory of the host.
 *
 * @param unpacked - where the packages were unpacked
 * @param root - the directory to make
 */
export async function writeRootTree(
  unpacked: string,
  root: string,
  { busybox, files, release, modules }: RootContent,
): Promise<void> {
  for (const path of DIRECTORIES) await mkdir(join(root, path), { recursive: true })
  await copyFile(await unpackedPath(unpacked, 'bin/busybox'), join(root, 'bin/busybox'))
  for (const program of ['sbin/qemu-ga', 'usr/bin/perl']) await copyProgram(unpacked, program, root)
  const hasSshServer = await access(join(unpacked, SSH_SERVER)).then(
    () => true,
    () => false,
  )
  if (hasSshServer) await copyProgram(unpacked, SSH_SERVER, root)
  await linkApplets(busybox, root, files)

  for (const { path, text, executable } of files) {
    await mkdir(join(root, dirname(path)), { recursive: true })
    await writeFile(join(root, path), text)
    await chmod(join(root, path), executable === true ? 0o755 : 0o644)
  }
  const moduleDirectory = join(root, 'lib/modules', release)
  await mkdir(moduleDirectory, { recursive: true })
  for (const { name, content } of modules) {
    await writeFile(join(moduleDirectory, `${name}.ko`), content)
  }
  await writeFile(join(moduleDirectory, 'modules.dep'), modulesDep(modules))
  await setModes(root)
}
