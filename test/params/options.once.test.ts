import { describe, expect, test } from 'vitest'
import { nearest } from '../../src/params/nearest.js'
import { parse } from '../../src/params/parse.js'
import { stateOptionsSchema } from '../../src/params/state.js'

const where = 'debian.state("nginx")'
const parseState = (options: unknown) => parse(stateOptionsSchema, options, where)

describe('options', () => {
  test('have defaults', () => {
    expect(parseState({})).toEqual({
      inputs: { values: {}, files: [] },
      timeout: 600_000,
      shutdownTimeout: 60_000,
      backend: 'external',
    })
  })

  test('that do not exist are errors that name the path, the value and the near name', () => {
    expect(() => parseState({ timout: 5 })).toThrow(
      expect.objectContaining({
        code: 'INVALID_VALUE',
        message:
          'debian.state("nginx").timout is 5: did you mean "timeout"? the options are inputs, maxAge, refresh, timeout, shutdownTimeout, backend',
      }),
    )
  })

  test('that do not exist are each named, also deep inside', () => {
    expect(() => parseState({ inputs: { value: 1, fils: [] } })).toThrow(
      /\.inputs\.value is 1: .*values, files\n.*\.inputs\.fils is \[\]: /,
    )
  })

  test.each([0, -1, 1.5, '5 s', null])('refuse the timeout %j', (timeout) => {
    expect(() => parseState({ timeout })).toThrow(
      `.timeout is ${JSON.stringify(timeout)}: a timeout is a whole number of milliseconds above 0`,
    )
  })

  test('take as inputs only what can be written down', () => {
    expect(parseState({ inputs: { values: { version: '1.2', list: [1, null] } } }).inputs).toEqual({
      values: { version: '1.2', list: [1, null] },
      files: [],
    })
    expect(() => parseState({ inputs: { values: { now: () => 1 } } })).toThrow(
      '.inputs.values.now is a function',
    )
  })
})

describe('the nearest word', () => {
  test.each([
    ['memry', 'memory'],
    ['Memory', 'memory'],
    ['cpu', 'cpus'],
    ['reuze', 'reuse'],
    ['imgae', 'image'],
    ['pcus', 'cpus'],
  ])('to %j is %j', (word, known) => {
    expect(nearest(word, ['memory', 'cpus', 'reuse', 'image'])).toBe(known)
  })

  test('is nothing when all are different', () => {
    expect(nearest('firmware', ['memory', 'cpus', 'image'])).toBeUndefined()
    expect(nearest('x', [])).toBeUndefined()
  })
})
