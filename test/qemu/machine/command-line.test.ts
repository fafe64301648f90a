import { execFileSync } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blockNode } from '../../../src/qemu/machine/block-node.js'
import { commandLine } from '../../../src/qemu/machine/command-line.js'
import { tinyGuest } from '../../support/tiny.js'
import { bareOptions, launchBare, temporaryDirectory } from './bare-machine.js'

test('the command line says everything and leaves nothing to defaults of the host', async () => {
  const disk = { name: 'root', file: '/images/a,b.qcow2', format: 'qcow2' as const }
  const options = await bareOptions({ directory: '/run/x,y', disks: [disk], network: 'isolated' })
  const line = commandLine(options).join(' ')
  expect(line).toContain('-nodefaults -no-user-config')
  expect(line).toContain('-accel tcg')
  expect(line).toContain('-chardev stdio,id=console -serial chardev:console')
  expect(line).toContain('"driver":"qcow2","node-name":"disk-root","read-only":false')
  expect(line).toContain('"filename":"/images/a,b.qcow2"')
  expect(line).toContain('restrict=on')
  expect(line).not.toContain('balloon')
})

test('further arguments come last, so that they can override', async () => {
  const options = await bareOptions({ extraArgs: ['-m', '64'] })
  expect(commandLine(options).slice(-2)).toEqual(['-m', '64'])
})

test('QEMU takes paths with commas, spaces and letters of any script, and disks of all kinds', async () => {
  const directory = join(await temporaryDirectory(), 'a,b  =ž,,"c')
  await mkdir(directory)
  const names = [
    'root',
    'data',
    'a-name-that-is-longer-than-qemu-allows-for-nodes',
    'x'.repeat(128),
  ]
  const disks = names.map((name, index) => {
    const format = index === 1 ? ('raw' as const) : ('qcow2' as const)
    return { name, file: join(directory, name), format, readOnly: index === 2 }
  })
  for (const { file, format } of disks) {
    execFileSync('qemu-img', ['create', '-q', '-f', format, file, '1M'])
  }
  const machine = await launchBare({ directory, disks, paused: true })
  const nodes = (await machine.qmp.execute('query-named-block-nodes', { flat: true })) as {
    'node-name': string
    ro: boolean
    drv: string
  }[]
  for (const disk of disks) {
    const node = nodes.find((candidate) => candidate['node-name'] === blockNode(disk))
    expect(node, disk.name).toMatchObject({ drv: disk.format, ro: disk.readOnly })
  }
})

test('a disk is locked against other writers while the machine runs', async () => {
  const file = join(await temporaryDirectory(), 'disk.qcow2')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M'])
  const disks = [{ name: 'root', file, format: 'qcow2' as const }]
  await launchBare({ disks, paused: true })
  await expect(launchBare({ disks, paused: true })).rejects.toMatchObject({
    code: 'QEMU_EXITED',
    message: expect.stringContaining('Is another process using the image'),
  })
})

test('names of block nodes are short, and differ where disks do', () => {
  const names = ['a', 'a'.repeat(26), 'a'.repeat(27), 'a'.repeat(28), `${'a'.repeat(127)}b`]
  const nodes = names.map((name) => blockNode({ name }))
  expect(new Set(nodes).size).toBe(names.length)
  expect(Math.max(...nodes.map((node) => node.length))).toBeLessThanOrEqual(31)
  expect(nodes[0]).toBe('disk-a')
})

test('QEMU takes a kernel and its initrd from a path with commas', async () => {
  const { directKernel } = await tinyGuest()
  const directory = join(await temporaryDirectory(), 'a,b ,,c')
  await mkdir(directory)
  const [kernel, initrd] = [join(directory, 'kernel'), join(directory, 'initrd')]
  await symlink(directKernel.kernel, kernel)
  await symlink(String(directKernel.initrd), initrd)
  const machine = await launchBare({ directKernel: { kernel, initrd }, paused: true })
  expect(machine.running).toBe(true)
})
