import { runInThisContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { collectDefinitions } from '../../../src/states/definitions/collect.js'
import { environment } from '../../../src/states/definitions/environment.js'
import { isMachine, isState } from '../../../src/states/definitions/kinds.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { DETAILS } from '../../../src/states/definitions/types.js'

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
