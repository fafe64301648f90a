import { runInThisContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { collectDefinitions } from '../../../src/states/definitions/collect.js'
import { environment } from '../../../src/states/definitions/environment.js'
import { isMachine, isState } from '../../../src/states/definitions/kinds.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { DETAILS, type MachineOptions } from '../../../src/states/definitions/types.js'

const image = { kind: 'blank', size: 2 ** 20 } as const
const setup = () => {}

describe('machine()', () => {
  it('chains states, each on the one before it', () => {
    const debian = machine('debian', { image })
    const nginx = debian.state('nginx', setup)
    const serving = nginx.live('serving', setup)
    expect(serving).toMatchObject({
      name: 'serving',
      liveness: 'live',
      machine: { name: 'debian' },
    })
    expect(serving[DETAILS].step?.parent).toBe(nginx)
    expect(nginx[DETAILS].step?.parent).toBe(debian.root)
    expect(debian.root[DETAILS].step).toBeUndefined()
    expect([...debian[DETAILS].states.keys()]).toEqual(['root', 'nginx', 'serving'])
  })

  it('fills in defaults and turns units into numbers', () => {
    expect(machine('a', { image, memory: '1 GiB' })[DETAILS].options).toMatchObject({
      memory: 2 ** 30,
      cpus: 1,
    })
  })

  it('looks for an image file from the file that defines it', () => {
    const { options } = machine('a', { image: { kind: 'file', path: '../disk.qcow2' } })[DETAILS]
    const path = new URL('../disk.qcow2', import.meta.url).pathname
    expect(options.image).toEqual({ kind: 'file', path })
  })

  it.each([
    ['two words', 'machine name is "two words"'],
    ['../up', 'machine name is "../up"'],
    ['42', 'machine name is "42"'],
  ])('refuses the machine name %j', (name, message) => {
    expect(() => machine(name, { image })).toThrow(message)
  })

  it('refuses an option with its path and value', () => {
    expect(() => machine('a', { image, memory: '1 GB' })).toThrow('machine "a".memory is "1 GB"')
  })

  it.each(['root', 'boot', 'with/slash', '7'])('refuses the state name %j', (name) => {
    expect(() => machine('a', { image }).state(name, setup)).toThrow(`state name is "${name}"`)
  })

  it('refuses a setup that is no function', () => {
    expect(() => machine('a', { image }).live('b', 'apt-get install' as never)).toThrow(
      'a/b setup is "apt-get install": a setup is a function that takes the machine',
    )
  })

  it('refuses a second state of the same name, with both places', () => {
    const debian = machine('debian', { image })
    debian.state('twice', setup)
    expect(() => debian.live('twice', setup)).toThrow(
      expect.objectContaining({
        code: 'DUPLICATE_NAME',
        message: expect.stringMatching(
          /state "debian\/twice" is defined twice: .*machine\.once\.test\.ts:\d+ and .*machine\.once\.test\.ts:\d+/,
        ),
      }),
    )
  })

  it('knows backends of disk states alone', () => {
    const debian = machine('debian', { image })
    debian.state('nginx', setup, { backend: 'internal' })
    // @ts-expect-error: one of the two that keep disk states
    expect(() => debian.state('other', setup, { backend: 'live' })).toThrow(
      'debian/other.backend is "live": a backend of disk states is "external" or "internal"',
    )
    // @ts-expect-error: no option of live states
    expect(() => debian.live('busy', setup, { backend: 'internal' })).toThrow(
      expect.objectContaining({
        code: 'INVALID_VALUE',
        message: expect.stringContaining('backend'),
      }),
    )
  })

  it('leaves nothing behind of a state that was refused', () => {
    const debian = machine('debian', { image })
    expect(() => debian.state('nginx', setup, { timeout: -1 })).toThrow(
      'debian/nginx.timeout is -1',
    )
    expect([...debian[DETAILS].states.keys()]).toEqual(['root'])
  })
})

describe('a machine of another architecture', () => {
  it('is what such machines mostly are, unless told', () => {
    const { options } = machine('a', { image, arch: 'aarch64' })[DETAILS]
    expect(options).toMatchObject({
      ...{ machineType: 'virt', cpuModel: 'cortex-a57', firmware: 'uefi' },
    })
    const other = machine('b', { image, arch: 'aarch64', cpuModel: 'cortex-a72' })
    expect(other[DETAILS].options.cpuModel).toBe('cortex-a72')
    const tiny = machine('tiny', { image: { kind: 'tiny' }, arch: 'aarch64' })[DETAILS].options
    expect(tiny).toMatchObject({
      ...{ image: { kind: 'tiny', arch: 'aarch64' }, machineType: 'virt', firmware: 'bios' },
    })
    expect(machine('c', { image, arch: 'x86_64' })[DETAILS].options.machineType).toBe('q35')
  })

  it.each<[Partial<MachineOptions>, string]>([
    [{ arch: 'arm' as 'aarch64' }, 'arch is "arm": an architecture is'],
    [{ arch: 'aarch64', firmware: 'bios' }, 'firmware is "bios": machines of aarch64 have no BIOS'],
  ])('is refused with %j', (options, message) => {
    expect(() => machine('a', { image, ...options })).toThrow(message)
  })
})

describe('the drives of a machine', () => {
  it('looks for their image files from the file that defines it', () => {
    const file = { kind: 'file', path: '../tools.iso' } as const
    const { options } = machine('a', {
      image,
      disks: [{ name: 'data', image: file }],
      cdroms: [{ name: 'tools', image: file }],
    })[DETAILS]
    const path = new URL('../tools.iso', import.meta.url).pathname
    expect([options.disks[0]?.image, options.cdroms[0]?.image]).toEqual([
      { kind: 'file', path },
      { kind: 'file', path },
    ])
  })

  it('are the same when their options are parsed again', () => {
    const { options } = machine('a', {
      image,
      imageDisk: { bus: 'sata' },
      disks: [{ name: 'data', size: '1 MiB', cache: 'none' }],
      cdroms: [{ name: 'tools', image, bus: 'scsi' }],
      bootOrder: ['tools', 'network'],
    })[DETAILS]
    expect(machine('b', options as MachineOptions)[DETAILS].options).toEqual(options)
  })

  const data = { name: 'data', size: '1 MiB' } as const

  it.each<[string, Partial<MachineOptions>, string]>([
    [
      'neither size nor image',
      { disks: [{ name: 'data' }] },
      'disks[0] is {"name":"data"}: a disk has either',
    ],
    ['size and image', { disks: [{ ...data, image }] }, 'a disk has either a size'],
    [
      'two of a name',
      { disks: [data], cdroms: [{ name: 'data', image }] },
      'cdroms[0].name is "data"',
    ],
    [
      'a taken name',
      { disks: [{ ...data, name: 'network' }] },
      'is the network card in a boot order',
    ],
    [
      'a read-only SATA disk',
      { disks: [{ ...data, bus: 'sata', readOnly: true }] },
      'disks[0].readOnly is true',
    ],
    [
      'an unknown name to boot from',
      { disks: [data], bootOrder: ['dat'] },
      'bootOrder[0] is "dat": it can boot from image, network, data',
    ],
    [
      'a name to boot from twice',
      { bootOrder: ['image', 'image'] },
      'bootOrder[1] is "image": a boot order names everything once',
    ],
    [
      'NVMe and kept boots',
      { disks: [{ ...data, bus: 'nvme' }] },
      'disks[0].bus is "nvme": QEMU cannot save an NVMe controller, so there are no kept boots',
    ],
  ])('are refused with %s', (_, options, message) => {
    expect(() => machine('a', { image, ...options })).toThrow(message)
  })

  it('may be on NVMe without kept boots and live states', () => {
    const cold = machine('a', { image, imageDisk: { bus: 'nvme' }, boot: 'cold' })
    cold.state('b', setup)
    expect(() => cold.live('c', setup)).toThrow(
      'a/c cannot be a live state: QEMU cannot save an NVMe controller, and a.imageDisk.bus is "nvme"',
    )
    expect(() => cold.live('c', setup, { backend: 'live' })).toThrow('cannot be a live state')
  })
})

describe('where a definition was written', () => {
  it('is known for machines and states', () => {
    const debian = machine('debian', { image })
    const nginx = debian.state('nginx', setup)
    const file = new URL(import.meta.url).pathname
    expect(debian[DETAILS].origin?.file).toBe(file)
    expect(nginx[DETAILS].origin?.file).toBe(file)
    expect(nginx[DETAILS].origin?.text).toContain('is known for machines and states')
  })

  it('is the file that calls .state(), also when the machine is from elsewhere', () => {
    const define = runInThisContext('(machine) => machine.state("x", () => {})', {
      filename: new URL('./states-file.mjs', import.meta.url).href,
    })
    const state = define(machine('debian', { image }))
    expect(state[DETAILS].origin).toBeUndefined()
  })
})

describe('collectDefinitions()', () => {
  it('finds machines through exported machines, states, arrays and objects', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => machine(name, { image }))
    const exported = {
      a,
      state: b?.state('hidden', setup).live('leaf', setup),
      list: [c?.root, 'text'],
      table: { d },
      unrelated: new Map(),
      nothing: null,
    }
    const machines = collectDefinitions([exported])
    expect([...machines.keys()]).toEqual(['a', 'b', 'c', 'd'])
    expect([...(machines.get('b')?.[DETAILS].states.keys() ?? [])]).toEqual([
      'root',
      'hidden',
      'leaf',
    ])
  })

  it('takes the same machine from two files once', () => {
    const debian = machine('debian', { image })
    expect(collectDefinitions([{ debian }, { again: debian.root }]).size).toBe(1)
  })

  it('refuses two machines of one name, with both places', () => {
    const [first, second] = [machine('same', { image }), machine('same', { image })]
    expect(() => collectDefinitions([{ first }, { second }])).toThrow(
      /machine "same" is defined twice: .*machine\.once\.test\.ts:\d+/,
    )
  })
})

describe('recognising definitions', () => {
  it('tells machines, states and other things apart', () => {
    const debian = machine('debian', { image })
    expect([debian, debian.root, {}, null].map(isMachine)).toEqual([true, false, false, false])
    expect([debian, debian.root, {}, null].map(isState)).toEqual([false, true, false, false])
  })
})

describe('a machine whose arguments let something change its RAM', () => {
  const extraArgs = ['-device', 'VGA', '-device', 'virtio-balloon-pci']
  const balloon = '"-device virtio-balloon-pci"'

  it('is refused, since its boots are kept', () => {
    expect(() => machine('a', { image, extraArgs })).toThrow(
      `machine "a".extraArgs[2] is "-device": ${balloon} changes the RAM`,
    )
  })

  it('may boot cold, but have no live states except in one file', () => {
    const cold = machine('a', { image, extraArgs, boot: 'cold' }).state('b', setup)
    expect(() => cold.live('c', setup)).toThrow(
      `a/c cannot be a live state: ${balloon} among the extraArgs of a changes`,
    )
    expect(() => environment('e', { cold }).live('d', setup)).toThrow('e/d cannot be a live state')
    expect(cold.live('d', setup, { backend: 'live' }).liveness).toBe('live')
  })
})
