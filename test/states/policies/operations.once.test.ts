import { beforeEach, describe, expect, it } from 'vitest'
import { stateMissing } from '../../../src/backends/image/state-missing.js'
import type { ImageBackend, StateRecord } from '../../../src/backends/image-backend.js'
import {
  checkState,
  getState,
  type PolicyOptions,
  popState,
  pushState,
  setState,
  showStates,
  unsetState,
} from '../../../src/states/policies/operations.js'

/** A backend without images: what policies decide is which of its methods are called. */
class ListBackend implements ImageBackend {
  readonly name = 'internal'
  readonly tags = new Set(['there'])
  readonly calls: string[] = []

  async show(): Promise<StateRecord[]> {
    return [...this.tags].map((name) => ({
      name,
      liveness: 'disk',
      date: new Date(0),
      vmStateSize: 0,
    }))
  }

  async check(_: unknown, tag: string): Promise<boolean> {
    this.calls.push('check')
    return this.tags.has(tag)
  }

  async get(_: unknown, tag: string): Promise<void> {
    this.#require(tag)
    this.calls.push(`get ${tag}`)
  }

  async set(_: unknown, tag: string): Promise<void> {
    this.calls.push(`set ${tag}`)
  }

  async unset(_: unknown, tag: string, { withChildren = false } = {}): Promise<void> {
    this.#require(tag)
    this.calls.push(`unset ${tag}${withChildren ? ' with children' : ''}`)
  }

  #require(tag: string): void {
    if (!this.tags.has(tag)) throw stateMissing(target.disks, tag)
  }
}

let backend: ListBackend
beforeEach(() => {
  backend = new ListBackend()
})

const target = { disks: [{ name: 'image', file: '/images/disk.qcow2', format: 'qcow2' as const }] }
const subject = (tag: string) => ({ backend, target, tag })
const operations = {
  get: getState,
  set: setState,
  unset: unsetState,
  push: pushState,
  pop: popState,
}

type Row = [keyof typeof operations, PolicyOptions, string, outcome: string, done: string[]]

describe('policies', () => {
  it.each<Row>([
    ['get', { missing: 'ignore' }, 'there', 'restored', ['get there']],
    ['get', { exists: 'ignore' }, 'there', 'ignored', []],
    ['get', { missing: 'ignore' }, 'gone', 'ignored', []],
    ['set', {}, 'there', 'replaced', ['set there']],
    ['set', {}, 'gone', 'created', ['set gone']],
    ['set', { exists: 'reuse' }, 'there', 'kept', []],
    ['unset', {}, 'there', 'removed', ['unset there']],
    ['unset', {}, 'gone', 'ignored', []],
    ['unset', { exists: 'reuse' }, 'there', 'kept', []],
    ['push', {}, 'gone', 'created', ['set gone']],
    ['push', { exists: 'reuse' }, 'there', 'kept', []],
    ['push', { exists: 'force' }, 'there', 'replaced', ['set there']],
    ['pop', { missing: 'ignore' }, 'there', 'removed', ['get there', 'unset there']],
    ['pop', { exists: 'ignore' }, 'there', 'ignored', []],
    ['pop', { missing: 'ignore' }, 'gone', 'ignored', []],
  ])('%s with %j of a state that is %s: %s', async (operation, options, tag, outcome, done) => {
    expect(await operations[operation](subject(tag), options)).toBe(outcome)
    expect(backend.calls).toEqual(['check', ...done])
  })

  it.each<Row>([
    ['get', {}, 'there', 'restored', ['get there']],
    ['pop', {}, 'there', 'removed', ['get there', 'unset there']],
    ['unset', { missing: 'abort' }, 'there', 'removed', ['unset there']],
  ])(
    '%s with %j leaves the look to the backend',
    async (operation, options, tag, outcome, done) => {
      expect(await operations[operation](subject(tag), options)).toBe(outcome)
      expect(backend.calls).toEqual(done)
    },
  )

  it.each<[keyof typeof operations, PolicyOptions, string, code: string]>([
    ['get', {}, 'gone', 'STATE_MISSING'],
    ['get', { exists: 'abort' }, 'there', 'STATE_EXISTS'],
    ['set', { exists: 'abort' }, 'there', 'STATE_EXISTS'],
    ['set', { missing: 'abort' }, 'gone', 'STATE_MISSING'],
    ['unset', { missing: 'abort' }, 'gone', 'STATE_MISSING'],
    ['push', {}, 'there', 'STATE_EXISTS'],
    ['pop', {}, 'gone', 'STATE_MISSING'],
  ])('%s with %j of a state that is %s is refused: %s', async (operation, options, tag, code) => {
    await expect(operations[operation](subject(tag), options)).rejects.toMatchObject({
      code,
      exit: 1,
      message: expect.stringMatching(/^\/images\/disk.qcow2(: no| has a) state "/),
    })
    expect(backend.calls.filter((call) => call !== 'check')).toEqual([])
  })

  it.each(Object.keys(operations) as (keyof typeof operations)[])(
    '%s checks the word for the case that does not arise, before it looks',
    async (operation) => {
      for (const [tag, branch] of [
        ['there', 'missing'],
        ['gone', 'exists'],
      ] as const) {
        const call = operations[operation](subject(tag), { [branch]: 'sometimes' })
        await expect(call).rejects.toMatchObject({ code: 'INVALID_POLICY', exit: 2 })
      }
      expect(backend.calls).toEqual([])
    },
  )

  it.each(['root', 'boot', 'a/b', '12'])('set and push refuse the name %j', async (name) => {
    for (const operation of [setState, pushState]) {
      await expect(operation(subject(name))).rejects.toMatchObject({ code: 'INVALID_NAME' })
    }
    expect(backend.calls).toEqual([])
  })

  it.each(['unset', 'pop'] as const)(
    '%s takes children along only when told',
    async (operation) => {
      await operations[operation](subject('there'), { withChildren: true })
      expect(backend.calls.at(-1)).toBe('unset there with children')
    },
  )

  it('shows and checks without a policy', async () => {
    expect(await showStates({ backend, target })).toMatchObject([{ name: 'there' }])
    expect(await checkState(subject('there'))).toBe(true)
    expect(await checkState(subject('gone'))).toBe(false)
  })
})
