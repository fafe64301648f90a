import { describe, expect, it } from 'vitest'
import { collectDefinitions } from '../../../src/states/definitions/collect.js'
import { environment, unnamedEnvironment } from '../../../src/states/definitions/environment.js'
import { keepsBoot } from '../../../src/states/definitions/keeps-boot.js'
import { isEnvironment, isEnvironmentState } from '../../../src/states/definitions/kinds.js'
import { machine } from '../../../src/states/definitions/machine.js'
import { nameOf } from '../../../src/states/definitions/name-of.js'
import { parentsOf } from '../../../src/states/definitions/parents-of.js'
import { type AnyState, DETAILS } from '../../../src/states/definitions/types.js'
import { bootKey, type KeyHost, stateKey } from '../../../src/states/keys/key.js'

const image = { kind: 'blank', size: 2 ** 20 } as const
const setup = () => {}
const alpha = machine('alpha', { image })
const page = alpha.state('page', setup)
const beta = machine('beta', { image, memory: '1 GiB' })

describe('environment()', () => {
  it('chains states, the first ones on the states of its members', () => {
    const lab = environment('lab', { client: page, server: beta, other: alpha })
    const joined = lab.state('met', setup)
    const up = joined.live('up', setup)
    expect([joined, up].map(nameOf)).toEqual(['lab/met', 'lab/up'])
    expect(parentsOf(joined).map(nameOf)).toEqual(['alpha/page', 'beta/root', 'alpha/root'])
    expect(parentsOf(up)).toEqual([joined])
    expect(joined.environment).toBe(lab)
    expect([...lab[DETAILS].states.keys()]).toEqual(['met', 'up'])
    expect([lab, up, alpha, {}].map(isEnvironment)).toEqual([true, false, false, false])
    expect([lab, up, alpha, {}].map(isEnvironmentState)).toEqual([false, true, false, false])
  })

  it.each<[what: string, name: string, members: unknown, says: string]>([
    ['a bad name', 'two words', { alpha }, 'environment name is "two words"'],
    ['no members', 'lab', {}, 'environment "lab" has no members'],
    ['nothing', 'lab', null, 'environment "lab" has no members'],
    ['a dot', 'lab', { 'build.log': alpha }, 'the name of a member cannot hold "."'],
    ['a name', 'lab', { a: 'alpha' }, '"lab".a is "alpha": a member is a machine or a state'],
    ['another environment', 'lab', { a: environment('e', { alpha }) }, 'a member is a machine or'],
  ])('refuses %s', (_, name, members, says) => {
    expect(() => environment(name, members as never)).toThrow(says)
  })

  it('refuses a setup that is no function, and a second state of a name, with both places', () => {
    const lab = environment('lab', { alpha })
    expect(() => lab.live('up', 'go' as never)).toThrow(
      'lab/up setup is "go": a setup is a function that takes the machines',
    )
    lab.state('twice', setup)
    expect(() => lab.live('twice', setup)).toThrow(
      /state "lab\/twice" is defined twice: .*environment\.once\.test\.ts:\d+ and .*:\d+/,
    )
  })
})

describe('a disk state of an environment', () => {
  it('keeps a boot, unless a member boots cold', () => {
    const cold = machine('cold', { image, boot: 'cold' })
    const keeps = (members: Parameters<typeof environment>[1]) =>
      keepsBoot(environment('lab', members).state('off', setup))
    expect([keeps({ alpha, beta }), keeps({ alpha, cold })]).toEqual([true, false])
    expect(keepsBoot(environment('lab', { alpha }).live('on', setup))).toBe(false)
  })
})

describe('collectDefinitions()', () => {
  it('finds environments, those of exported states, and the machines of their members', () => {
    const lab = environment('lab', { page, beta })
    const up = environment('other', { alpha }).live('up', setup)
    expect([...collectDefinitions([{ lab, list: [up] }]).keys()]).toEqual([
      'alpha',
      'beta',
      'lab',
      'other',
    ])
  })

  it('refuses an environment that has the name of a machine or of another, with both places', () => {
    const [first, second] = [environment('alpha', { beta }), environment('lab', { beta })]
    expect(() => collectDefinitions([{ alpha }, { first }])).toThrow(
      /machine and environment "alpha" is defined twice: .*environment\.once\.test\.ts:\d+/,
    )
    expect(() => collectDefinitions([{ second, third: environment('lab', { beta }) }])).toThrow(
      'environment "lab" is defined twice',
    )
  })
})

describe('the key of a state of an environment', () => {
  const host: KeyHost = {
    identifyImage: async () => 'sha256:1',
    identifyFirmware: async () => 'sha256:2',
    emulator: async () => ({ version: '7.2.22', accelerator: 'tcg' }),
    sshPublicKey: async () => 'ssh-ed25519 AAAA',
    parentKey: (state) => stateKey(state, host),
  }
  const keyOf = async (state: AnyState) => (await stateKey(state, host)).key
  const joinedOf = (members: Parameters<typeof environment>[1], name = 'lab') =>
    environment(name, members).state('joined', setup)

  it('does not depend on the name of the environment, of its machines, or on the members’ order', async () => {
    const key = await keyOf(joinedOf({ a: page, b: beta }))
    const same = machine('same', { image }).state('page', setup)
    expect(await keyOf(joinedOf({ b: beta, a: page }, 'other'))).toBe(key)
    expect(await keyOf(joinedOf({ a: same, b: beta }))).toBe(key)
  })

  it('depends on the names of the members, their states and their machines', async () => {
    const keys = await Promise.all(
      [
        joinedOf({ a: page, b: beta }),
        joinedOf({ a: page, c: beta }),
        joinedOf({ a: alpha, b: beta }),
        joinedOf({ a: page, b: machine('b', { image, memory: '2 GiB' }) }),
        joinedOf({ a: page }),
        joinedOf({ vm: page, b: beta }),
        joinedOf({ vm: page }),
      ].map(keyOf),
    )
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('says which member has changed', async () => {
    const { parts } = await stateKey(joinedOf({ a: page, b: beta }), host)
    expect(parts).toMatchObject({
      members: { a: await keyOf(page), b: await keyOf(beta.root) },
      machine: { a: { memory: 2 ** 29 }, b: { memory: 2 ** 30 } },
    })
    const boot = await bootKey(joinedOf({ a: page, b: beta }), host)
    expect(boot.parts).toMatchObject({ emulator: { a: { version: '7.2.22' } } })
  })
})

it('a set of machines that nobody named is called by its members', () => {
  const { root } = unnamedEnvironment({ client: page, server: beta }, 'vms(…)')[DETAILS]
  expect(nameOf(root)).toBe('client + server')
})
