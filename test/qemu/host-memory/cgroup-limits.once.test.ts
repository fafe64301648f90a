import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cgroupMemoryLimit } from '../../../src/qemu/host-memory/cgroup-limits.js'
import { hostMemory } from '../../../src/qemu/host-memory/host-memory.js'

const MiB = 2 ** 20
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cgroups-'))
})
afterEach(() => rm(directory, { recursive: true }))

/** A host whose control groups are files of the test's own; returns its directory of a process. */
async function host(
  groups: string,
  mounts: readonly (readonly [root: string, point: string, type: string])[],
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const mountinfo = mounts.map(
    ([root, point, type]) =>
      `31 23 0:28 ${root} ${join(directory, point)} rw,relatime shared:9 - ${type}\n`,
  )
  const all = { 'proc/cgroup': groups, 'proc/mountinfo': mountinfo.join(''), ...files }
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  return join(directory, 'proc')
}

const version2 = ['/', 'cgroup', 'cgroup2 cgroup2 rw,nsdelegate'] as const
const version1 = ['/', 'memory', 'cgroup cgroup rw,memory'] as const

test('of nested groups the smallest limit counts, wherever it is', async () => {
  const proc = await host('0::/user.slice/run.scope\n', [version2], {
    'cgroup/user.slice/run.scope/memory.max': 'max\n',
    'cgroup/user.slice/run.scope/memory.high': `${700 * MiB}\n`,
    'cgroup/user.slice/memory.max': `${512 * MiB}\n`,
    'cgroup/user.slice/other.scope/memory.max': `${64 * MiB}\n`,
  })
  expect(await cgroupMemoryLimit(proc)).toEqual({
    bytes: 512 * MiB,
    file: join(directory, 'cgroup/user.slice/memory.max'),
  })
})

test('a group that is slowed down above memory.high is limited by it', async () => {
  const proc = await host('0::/a\n', [version2], {
    'cgroup/a/memory.max': `${900 * MiB}\n`,
    'cgroup/a/memory.high': `${800 * MiB}\n`,
  })
  expect(await cgroupMemoryLimit(proc)).toMatchObject({ bytes: 800 * MiB })
})

test('in a container, whose group is the root of the mount, the root limits', async () => {
  const bound = ['/docker/abc', 'cgroup', 'cgroup2 cgroup2 rw'] as const
  const files = { 'cgroup/memory.max': `${256 * MiB}` }
  const proc = await host('0::/docker/abc\n', [bound], files)
  expect(await cgroupMemoryLimit(proc)).toMatchObject({ bytes: 256 * MiB })
  const outside = await host('0::/../other\n', [bound], files)
  expect(await cgroupMemoryLimit(outside)).toMatchObject({ bytes: 256 * MiB })
})

test('groups of version 1 limit as well, and say "none" by a number', async () => {
  const none = '9223372036854771712\n'
  const cpu = ['/', 'cpu', 'cgroup cgroup rw,cpu'] as const
  const groups = '5:cpu:/a\n4:memory,hugetlb:/a:b\n0::/\n'
  const proc = await host(groups, [cpu, version1], {
    'memory/memory.limit_in_bytes': none,
    'memory/a:b/memory.limit_in_bytes': `${300 * MiB}\n`,
    'cpu/a/memory.limit_in_bytes': `${1 * MiB}\n`,
  })
  expect(await cgroupMemoryLimit(proc)).toMatchObject({ bytes: 300 * MiB })
  await writeFile(join(directory, 'memory/a:b/memory.limit_in_bytes'), none)
  expect(await cgroupMemoryLimit(proc)).toBeUndefined()
})

test('without control groups nothing limits', async () => {
  expect(await cgroupMemoryLimit(await host('', [], {}))).toBeUndefined()
  expect(await cgroupMemoryLimit(join(directory, 'nothing'))).toBeUndefined()
})

test('the memory of this host is no more than it has', async () => {
  const { bytes, of } = await hostMemory()
  expect(bytes).toBeGreaterThan(0)
  expect(bytes).toBeLessThanOrEqual(totalmem())
  expect(of).toMatch(bytes === totalmem() ? /^this host$/ : /control group/)
})
