import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createOverlays } from '../../../src/backends/create-overlays.js'
import { forkBackend } from '../../../src/backends/fork/graph.js'
import { OwnRam } from '../../../src/backends/fork/own-ram.js'
import { resolveFirmware } from '../../../src/images/firmware/resolve-firmware.js'
import type { LaunchOptions } from '../../../src/qemu/machine/launch-options.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import { openStore } from '../../../src/store/store.js'
import { directoryIn, launchOn } from '../../backends/live-machines.js'
import { temporaryDirectory } from './bare-machine.js'

const RAM_SIZE = 256 * 2 ** 20

const aarch64 = {
  ...{ arch: 'aarch64', binary: 'qemu-system-aarch64', machineType: 'virt' },
  ...{ cpuModel: 'cortex-a57', memory: RAM_SIZE, network: 'none', hotplugPorts: 1 },
} satisfies Partial<LaunchOptions>

/** How often its firmware has come to its shell. */
async function shells(machine: MachineProcess): Promise<number> {
  return (await machine.consoleTail(2 ** 20)).split('UEFI Interactive Shell').length - 1
}

/** A digest of all RAM of a stopped machine. */
async function digestOfRam({ qmp }: MachineProcess, root: string): Promise<string> {
  const filename = join(root, 'dump')
  await qmp.execute('pmemsave', { val: 2 ** 30, size: RAM_SIZE, filename })
  return createHash('sha256')
    .update(await readFile(filename))
    .digest('hex')
}

test('a machine of aarch64 starts its UEFI firmware, and is kept and restored, RAM byte for byte', async () => {
  const root = await temporaryDirectory()
  await using store = await openStore(join(root, 'store'))
  const { code, variables } = await resolveFirmware(aarch64, store)
  const base = { ...variables, name: 'variables', role: 'variables' } as const
  const disks = await createOverlays([base], await directoryIn(root, 'disks'))
  await using ram = await OwnRam.create(RAM_SIZE, root)
  const options = { ...aarch64, firmware: code }
  const first = await launchOn(disks, { ...options, ram: { path: ram.path, shared: true } })
  await expect.poll(() => shells(first), { timeout: 240_000 }).toBe(1)
  const directory = await directoryIn(root, 'state')
  const state = await forkBackend.capture({ disks, process: first, ram }, directory, root)

  const prepared = await forkBackend.prepare(state, 'test', await directoryIn(root, 'one'))
  const one = await launchOn(prepared.disks, { ...options, ...prepared.launch, paused: true })
  await prepared.load(one)
  const saved = await readFile(state.memory?.ram ?? '')
  expect(await digestOfRam(one, root)).toBe(createHash('sha256').update(saved).digest('hex'))
  await one.qmp.execute('cont')
  await one.qmp.execute('system_reset')
  await expect.poll(() => shells(one), { timeout: 240_000 }).toBe(1)
  await expect(prepared.rewind?.(one)).rejects.toMatchObject({ code: 'STATE_NOT_LOADED' })
}, 600_000)
