import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A limit of memory that a control group sets. */
export interface CgroupLimit {
  bytes: number
  /** The file that says so. */
  file: string
}

/** One hierarchy of control groups that limits memory, and this process's group in it. */
interface Hierarchy {
  mountPoint: string
  group: string
  files: readonly string[]
}

/** Above `memory.high` a group is slowed down, above `memory.max` its processes are killed. */
const FILES = { 1: ['memory.limit_in_bytes'], 2: ['memory.max', 'memory.high'] } as const

/**
 * The smallest limit of memory among the control groups that this process is in: its own and those
 * around it, of version 1 and 2, as far as they can be seen from here.
 *
 * @param proc - the directory of this process in `/proc`
 * @returns undefined where none sets a limit
 * @see cgroups(7), https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export async function cgroupMemoryLimit(proc = '/proc/self'): Promise<CgroupLimit | undefined> {
  const [groups, mounts] = await Promise.all(
    ['cgroup', 'mountinfo'].map((name) => lines(proc, name)),
  )
  const hierarchies = (mounts ?? []).flatMap((mount) => hierarchyOf(mount, groups ?? []))
  const limits = await Promise.all(hierarchies.map(limitsIn))
  return limits.flat().sort((a, b) => a.bytes - b.bytes)[0]
}

async function lines(directory: string, name: string): Promise<string[]> {
  const text = await readFile(join(directory, name), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

/** Lines of `mountinfo` and of `cgroup` are described in proc_pid_mountinfo(5) and cgroups(7). */
function hierarchyOf(mount: string, groups: readonly string[]): Hierarchy[] {
  const [before = '', after = ''] = mount.split(' - ')
  const [, , , root = '', mountPoint = ''] = before.split(' ')
  const [type, , options = ''] = after.split(' ')
  const version = type === 'cgroup2' ? 2 : type === 'cgroup' ? 1 : undefined
  if (version === undefined) return []
  if (version === 1 && !options.split(',').includes('memory')) return []
  const path = groups.flatMap((line) => groupPath(line, version))[0]
  if (path === undefined) return []
  // A group that is not below the root of the mount cannot be seen; the root is nearest to it.
  const isBelow = path === root || path.startsWith(root === '/' ? '/' : `${root}/`)
  const group = isBelow ? path.slice(root === '/' ? 0 : root.length) : ''
  return [{ mountPoint, group: join(mountPoint, group), files: FILES[version] }]
}

function groupPath(line: string, version: 1 | 2): string[] {
  const [number, controllers = '', ...path] = line.split(':')
  const isIt = version === 2 ? number === '0' : controllers.split(',').includes('memory')
  return isIt ? [path.join(':')] : []
}

async function limitsIn({ mountPoint, group, files }: Hierarchy): Promise<CgroupLimit[]> {
  const limits: CgroupLimit[] = []
  for (let directory = group; directory.startsWith(mountPoint); directory = dirname(directory)) {
    for (const name of files) {
      const file = join(directory, name)
      const text = await readFile(file, 'utf8').catch(() => 'max')
      const bytes = Number.parseInt(text, 10)
      // Version 1 says "none" by a number that no memory has.
      if (bytes < Number.MAX_SAFE_INTEGER) limits.push({ bytes, file })
    }
    if (directory === '/') break
  }
  return limits
}
