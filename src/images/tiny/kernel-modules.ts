import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { runTool } from '../run-tool.js'

/** A kernel module, uncompressed. */
export interface KernelModule {
  name: string
  content: Buffer
  /** Names of the modules that it stands on. */
  depends: readonly string[]
}

const MODULE_FILE = /^(?<name>.+)\.ko(?<compression>\.xz|\.zst|\.gz)?$/

/** File names write `-` or `_` as they like; the kernel only knows `_`. */
const normalise = (name: string): string => name.replaceAll('-', '_')

const DECOMPRESSORS: Record<string, readonly [string, string]> = {
  '.xz': ['xz', 'xz-utils'],
  '.zst': ['zstd', 'zstd'],
  '.gz': ['gzip', 'gzip'],
}

async function readModule(file: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const match = MODULE_FILE.exec(basename(file))
  const decompressor = DECOMPRESSORS[match?.groups?.compression ?? '']
  if (decompressor === undefined) return await readFile(file)
  const [tool, install] = decompressor
  await runTool(tool, ['-q', '-d', file], { signal, install })
  return await readFile(file.slice(0, file.lastIndexOf('.')))
}

function readDepends(content: Buffer): string[] {
  const key = Buffer.from('\0depends=')
  const at = content.indexOf(key)
  if (at === -1) return []
  const start = at + key.length
  const list = content.toString('latin1', start, content.indexOf(0, start))
  return list === '' ? [] : list.split(',').map(normalise)
}

/** Which modules a guest gets. */
export interface ModuleNames {
  needed: readonly string[]
  /** Left out if the kernel has not got them. */
  wanted?: readonly string[]
}

/**
 * Reads kernel modules and, before them, all that they depend on. Names that the kernel has built
 * in are left out.
 *
 * @param directory - the kernel's `lib/modules/VERSION`
 * @throws VmStatesError `TINY_UNAVAILABLE` if a needed module is neither there nor built in
 */
export async function readKernelModules(
  directory: string,
  { needed, wanted = [] }: ModuleNames,
  signal?: AbortSignal,
): Promise<KernelModule[]> {
  const files = new Map<string, string>()
  for (const path of await readdir(directory, { recursive: true })) {
    const match = MODULE_FILE.exec(basename(path))
    if (match?.groups?.name !== undefined) {
      files.set(normalise(match.groups.name), join(directory, path))
    }
  }
  const listed = await readFile(join(directory, 'modules.builtin'), 'utf8')
  const builtIn = new Set(listed.split('\n').map((path) => normalise(basename(path.trim(), '.ko'))))

  const modules = new Map<string, KernelModule>()
  const visit = async (name: string): Promise<void> => {
    if (modules.has(name) || builtIn.has(name)) return
    const file = files.get(name)
    if (file === undefined) {
      throw new VmStatesError('TINY_UNAVAILABLE', `${directory} has no kernel module ${name}`)
    }
    const content = await readModule(file, signal)
    const depends = readDepends(content)
    for (const other of depends) await visit(other)
    modules.set(name, { name, content, depends })
  }
  for (const name of needed) await visit(name)
  for (const name of wanted) if (files.has(name)) await visit(name)
  return [...modules.values()]
}

/**
 * The `modules.dep` of modules that all lie in one directory, for busybox's modprobe: it loads what
 * stands behind the colon from the last to the first.
 *
 * @param modules - each after all that it depends on, as {@link readKernelModules} gives them
 */
export function modulesDep(modules: readonly KernelModule[]): string {
  const below = new Map<string, ReadonlySet<string>>()
  const lines = modules.map(({ name, depends }) => {
    const reached = new Set(depends.flatMap((other) => [other, ...(below.get(other) ?? [])]))
    below.set(name, reached)
    const files = modules.filter((other) => reached.has(other.name)).map(({ name }) => `${name}.ko`)
    return [`${name}.ko:`, ...files.reverse()].join(' ')
  })
  return `${lines.join('\n')}\n`
}
