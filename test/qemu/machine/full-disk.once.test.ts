import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runScript, sourceFile } from '../../support/script.js'
import { type TinyGuest, tinyGuest } from '../../support/tiny.js'

let directory: string
let tiny: TinyGuest
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-full-'))
  tiny = await tinyGuest()
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** The guest writes to its disk where it comes up; QEMU would stop it there, for ever. */
const SOURCE = `
  import { execFileSync } from 'node:child_process'
  import { writeFileSync } from 'node:fs'
  import { launch } from '${sourceFile('qemu/machine/launch.ts')}'
  const [directory, small, text] = process.argv.slice(2)
  const { disk, directKernel } = JSON.parse(text)
  const file = small + '/disk.qcow2'
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', disk, file])
  for (const step of [1 << 16, 1 << 12]) for (let i = 0; ; i++) {
    try { writeFileSync(small + '/fill-' + step + '-' + i, Buffer.alloc(step)) } catch { break }
  }
  const disks = [{ name: 'image', file, format: 'qcow2' }]
  const machine = await launch({
    name: 'm', directory, disks, directKernel, binary: 'qemu-system-x86_64', accelerator: 'tcg',
    memory: 128 << 20, cpus: 1, cpuModel: 'qemu64', machineType: 'q35', network: 'none', extraArgs: [],
  })
  setTimeout(() => process.exit(1), 20_000).unref()
  console.log(JSON.stringify(await machine.exited))
`

test('a machine ends, and says why, when the disk of the host is full', async () => {
  const small = join(directory, 'small')
  await mkdir(small)
  const mount = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
  const namespaces = process.getuid?.() === 0 ? ['--mount'] : ['--map-root-user', '--mount']
  const { stdout, stderr } = await runScript(SOURCE, [directory, small, JSON.stringify(tiny)], {
    prefix: ['unshare', ...namespaces, 'sh', '-c', mount, small],
  })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({ shutdownReason: "the host's disk is full" })
})
