import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { machine } from '../../../src/states/definitions/machine.js'
import type { MachineOptions, State, StateOptions } from '../../../src/states/definitions/types.js'
import { bootKey, type KeyHost, stateKey } from '../../../src/states/keys/key.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-key-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const image = { kind: 'blank', size: 2 ** 20 } as const

function host(
  changes: {
    image?: string
    firmware?: string
    version?: string
    accelerator?: 'kvm' | 'tcg'
    sshKey?: string
  } = {},
): KeyHost {
  const { image = 'sha256:1', firmware = 'sha256:2' } = changes
  const { version = '7.2.22', accelerator = 'tcg', sshKey = 'ssh-ed25519 AAAA' } = changes
  const host: KeyHost = {
    identifyImage: async () => image,
    identifyFirmware: async () => firmware,
    emulator: async () => ({ version, accelerator }),
    sshPublicKey: async () => sshKey,
    parentKey: (state) => stateKey(state, host),
  }
  return host
}

interface Change {
  machine?: Partial<MachineOptions>
  state?: StateOptions
  host?: Parameters<typeof host>[0]
}

/** A chain of two disk states and a live one. */
function chain(options: Change = {}, name = 'm') {
  const m = machine(name, { image, ...options.machine })
  const first = m.state('first', () => {}, options.state)
  const second = first.state('second', () => {})
  const live = second.live('live', () => {})
  return { m, first, second, live }
}

const keyOf = async (state: State, change: Change = {}) =>
  (await stateKey(state, host(change.host))).key

const waiting = machine('waiting', { image, ready: (vm) => vm.waitForPort(80) })
const waited = waiting.state('waited', () => {})

it('counts what a machine waits for in all of its states and boots, but not in its root', async () => {
  const ready = { code: { '(ready)': expect.any(String) }, packages: {} }
  for (const { parts } of [await stateKey(waited, host()), await bootKey(waiting.root, host())]) {
    expect(parts.machine).toMatchObject({ ready })
  }
  expect(await keyOf(waiting.root)).toBe(await keyOf(chain().m.root))
})

describe('the key of a machine with further drives', () => {
  const disk = { name: 'data', size: '1 MiB' } as const
  const leaf = (options: Partial<MachineOptions>, of?: Change['host']) =>
    keyOf(chain({ machine: options }).live, of && { host: of })

  it('is changed by what its guest sees of them', async () => {
    const disc = { name: 'disc', image }
    const keys = await Promise.all([
      leaf({ disks: [disk] }),
      leaf({ disks: [{ ...disk, readOnly: true }] }),
      leaf({ disks: [{ name: 'data', image }] }),
      leaf({ disks: [{ name: 'data', image }] }, { image: 'sha256:3' }),
      leaf({ disks: [disk], cdroms: [disc] }),
      leaf({ disks: [disk], cdroms: [{ ...disc, bus: 'scsi' }] }),
      leaf({ disks: [disk], bootOrder: ['data'] }),
    ])
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('is not changed by what it does not: how the host caches them, and defaults that are said', async () => {
    const key = await leaf({ disks: [disk] })
    for (const cache of ['unsafe', 'writeback', 'none'] as const) {
      expect(await leaf({ disks: [{ ...disk, cache, bus: 'virtio', readOnly: false }] })).toBe(key)
    }
  })
})

describe('stateKey()', () => {
  it('is a hash, the same each time and for any two machines that are alike', async () => {
    const key = await keyOf(chain().live)
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(await keyOf(chain({}, 'another').live)).toBe(key)
  })

  it('differs for each state of a chain', async () => {
    const { m, first, second, live } = chain()
    const keys = await Promise.all([m.root, first, second, live].map((state) => keyOf(state)))
    expect(new Set(keys).size).toBe(4)
  })

  it.each<[string, Change]>([
    ['the image', { host: { image: 'sha256:2' } }],
    ['what cloud-init does', { machine: { cloudInit: { hostname: 'web' } } }],
    ['what is changed in the image', { machine: { firstBoot: { hostname: 'web' } } }],
    ['the memory', { machine: { memory: '1 GiB' } }],
    ['the CPUs', { machine: { cpus: 2 } }],
    ['the CPU model', { machine: { cpuModel: 'Haswell' } }],
    ['the firmware', { machine: { firmware: 'uefi' } }],
    ['the machine type', { machine: { machineType: 'pc' } }],
    ['the network', { machine: { network: 'isolated' } }],
    ['the way to the guest', { machine: { guest: 'ssh' } }],
    ['a console that it is talked to over', { machine: { guest: 'console' } }],
    ['what the console is', { machine: { console: 'hvc0' } }],
    ['a further disk', { machine: { disks: [{ name: 'data', size: '1 MiB' }] } }],
    ['the bus of a disk', { machine: { disks: [{ name: 'data', size: '1 MiB', bus: 'usb' }] } }],
    ['the bus of the image', { machine: { imageDisk: { bus: 'sata' } } }],
    ['a cache that is written through', { machine: { imageDisk: { cache: 'writethrough' } } }],
    ['a CD-ROM', { machine: { cdroms: [{ name: 'disc', image }] } }],
    ['a boot order', { machine: { bootOrder: ['network'] } }],
    ['ports for devices to come', { machine: { hotplugPorts: 1 } }],
    ['files that QEMU inherits', { machine: { extraFds: ['/dev/null'] } }],
    ['a TPM', { machine: { tpm: true } }],
    ['the architecture', { machine: { arch: 'aarch64' } }],
    ['a QEMU argument', { machine: { extraArgs: ['-rtc', 'base=utc'] } }],
    ['the backend', { state: { backend: 'internal' } }],
    ['an input value', { state: { inputs: { values: { version: 1 } } } }],
  ])('is changed by %s, also further down the chain', async (_, change) => {
    expect(await keyOf(chain(change).first, change)).not.toBe(await keyOf(chain().first))
    expect(await keyOf(chain(change).live, change)).not.toBe(await keyOf(chain().live))
  })

  it.each<[string, Change]>([
    ['a deadline', { state: { timeout: 5 } }],
    ['the deadline of readiness', { machine: { readyTimeout: 5 } }],
    ['where the binary is', { machine: { binary: '/usr/bin/qemu-system-x86_64' } }],
    ['how tests boot', { machine: { boot: 'cold' } }],
  ])('is not changed by %s', async (_, change) => {
    expect(await keyOf(chain(change).live, change)).toBe(await keyOf(chain().live))
  })

  it('is not changed by a password', async () => {
    const machine = { guest: 'console', consoleUser: 'ada' } as const
    const secret = { machine: { ...machine, consolePassword: 'secret' } }
    expect(await keyOf(chain(secret).live, secret)).toBe(await keyOf(chain({ machine }).live))
  })

  it.each<[string, Change]>([
    ['the version of QEMU', { host: { version: '10.0.2' } }],
    ['the accelerator', { host: { accelerator: 'kvm' } }],
  ])('is changed by %s for live states alone', async (_, change) => {
    expect(await keyOf(chain().second, change)).toBe(await keyOf(chain().second))
    expect(await keyOf(chain().live, change)).not.toBe(await keyOf(chain().live))
  })

  it('is changed by the content of UEFI firmware for machines that have it alone', async () => {
    const other = { host: { firmware: 'sha256:3' } }
    expect(await keyOf(chain().live, other)).toBe(await keyOf(chain().live))
    const uefi = { machine: { firmware: 'uefi' } } as const
    expect(await keyOf(chain(uefi).first, other)).not.toBe(await keyOf(chain(uefi).first))
  })

  it("is changed by the store's ssh key where that is put into the image, and by who logs in", async () => {
    const other = { host: { sshKey: 'ssh-ed25519 BBBB' } }
    const key = (machine: Partial<MachineOptions>, change: Change = {}) =>
      keyOf(chain({ machine }).first, change)
    expect(await key({ guest: 'ssh' }, other)).toBe(await key({ guest: 'ssh' }))
    expect(await key({ firstBoot: {} }, other)).toBe(await key({ firstBoot: {} }))
    for (const way of [{ firstBoot: {} }, { cloudInit: {} }] as const) {
      const over = { guest: 'ssh', ...way } as const
      expect(await key(over, other)).not.toBe(await key(over))
      expect(await key({ ...over, sshUser: 'ada' })).not.toBe(await key(over))
    }
  })

  it('does not depend on the order in which values are written', async () => {
    const ordered = { state: { inputs: { values: { a: 1, b: { c: 2, d: 3 } } } } }
    const other = { state: { inputs: { values: { b: { d: 3, c: 2 }, a: 1 } } } }
    expect(await keyOf(chain(other).first)).toBe(await keyOf(chain(ordered).first))
  })

  it('is changed by the content of an input file, not by its age', async () => {
    const file = join(directory, 'page.html')
    const keyNow = () => keyOf(chain({ state: { inputs: { files: [file] } } }).first)
    await writeFile(file, 'one')
    const before = await keyNow()
    await writeFile(file, 'one')
    expect(await keyNow()).toBe(before)
    await writeFile(file, 'two')
    expect(await keyNow()).not.toBe(before)
  })

  it('refuses an input file that is not there', async () => {
    const { first } = chain({ state: { inputs: { files: ['missing.txt'] } } })
    await expect(keyOf(first)).rejects.toMatchObject({
      code: 'INPUT_FILE',
      message: expect.stringMatching(/the input file .*\/test\/states\/keys\/missing\.txt/),
    })
  })

  it('is changed by what a glob matches, and by its content', async () => {
    const keyNow = (...files: string[]) => keyOf(chain({ state: { inputs: { files } } }).first)
    const glob = join(directory, '**/*.conf')
    await writeFile(join(directory, 'a.conf'), 'a')
    const before = await keyNow(glob)
    await writeFile(join(directory, 'b.txt'), 'b')
    expect(await keyNow(glob)).toBe(before)
    await writeFile(join(directory, '.b.conf'), 'b')
    const added = await keyNow(glob)
    expect(added).not.toBe(before)
    expect(await keyNow(glob, `!${join(directory, '.b*')}`)).toBe(before)
    await writeFile(join(directory, '.b.conf'), 'c')
    expect(await keyNow(glob)).not.toBe(added)
  })

  it('takes a file whose name looks like a glob for itself', async () => {
    const file = join(directory, '[a].conf')
    await writeFile(file, 'a')
    const keyNow = () => keyOf(chain({ state: { inputs: { files: [file] } } }).first)
    const before = await keyNow()
    await writeFile(file, 'b')
    expect(await keyNow()).not.toBe(before)
  })

  it('refuses a glob that matches no file', async () => {
    const { first } = chain({ state: { inputs: { files: ['missing/*.conf'] } } })
    await expect(keyOf(first)).rejects.toMatchObject({
      code: 'INPUT_FILE',
      message: expect.stringContaining('missing/*.conf match no file in'),
    })
  })

  it('is changed by what refresh returns, which is asked once', async () => {
    let serial = 1
    const answering = () => chain({ state: { refresh: async () => ({ serial: serial++ }) } })
    const { first, second } = answering()
    const before = await keyOf(first)
    await keyOf(second)
    expect(await keyOf(first)).toBe(before)
    expect(serial).toBe(2)
    expect(await keyOf(answering().first)).not.toBe(before)
  })

  it.each<[string, () => unknown, string]>([
    ['throws', () => Promise.reject(new Error('no route')), 'no route'],
    ['returns no JSON', () => undefined, 'it returned undefined, which is no JSON'],
  ])('refuses a refresh that %s', async (_, refresh, reason) => {
    await expect(keyOf(chain({ state: { refresh } }).first)).rejects.toMatchObject({
      code: 'REFRESH_FAILED',
      message: expect.stringContaining(`the refresh of m/first failed: ${reason}`),
    })
  })

  it('says what went into it', async () => {
    const { parts } = await stateKey(chain().live, host())
    expect(parts).toMatchObject({
      state: { name: 'live', liveness: 'live' },
      emulator: { version: '7.2.22', accelerator: 'tcg' },
    })
  })
})

describe('bootKey()', () => {
  it('is of its own for every disk state and every emulator', async () => {
    const { m, first } = chain()
    const keys = await Promise.all([
      bootKey(m.root, host()),
      bootKey(first, host()),
      bootKey(first, host({ accelerator: 'kvm' })),
      stateKey(first, host()),
    ])
    expect(new Set(keys.map(({ key }) => key)).size).toBe(4)
  })
})
