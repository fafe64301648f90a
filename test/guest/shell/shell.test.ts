import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { quoteValue } from '../../../src/guest/shell/quote.js'
import { shellScript } from '../../../src/guest/shell/script.js'
import { bootTiny, rejection, type TinyVm } from '../tiny-vm.js'

const script = (template: TemplateStringsArray, ...values: unknown[]) =>
  shellScript(template, values)

describe('the script of a template', () => {
  test('is the text as it is written', () => {
    expect(script`printf 'a\n\t\\' | sed 's/\(a\)/\1/' "\$HOME"`).toBe(
      String.raw`printf 'a\n\t\\' | sed 's/\(a\)/\1/' "\$HOME"`,
    )
  })

  test('has no backslash where only JavaScript wanted one', () => {
    expect(script`echo \`id\` \${HOME} \\${'x'}`).toBe(`echo \`id\` ${'$'}{HOME} \\\\x`)
  })

  test('quotes values where they need it', () => {
    expect(script`cp ${['a b', "it's", 3]} ${'/plain/path-1.txt'} ${''} ${[]}`).toBe(
      "cp 'a b' 'it'\\''s' 3 /plain/path-1.txt '' ",
    )
  })

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['an object', { a: 1 }],
    ['a function', () => 1],
    ['a boolean', false],
    ['NaN', Number.NaN],
    ['a text with NUL', 'a\0'],
    ['an array that holds one of them', ['a', null]],
  ])('refuses %s as a value, and says which it is', (_, value) => {
    expect(() => script`echo ${'first'} ${value}`).toThrow(/^value 2 of vm\.\$`…`(\[1\])? is /)
  })

  test('refuses to be empty', () => {
    expect(() => script` `).toThrow('holds no command')
  })

  test('gives a shell back every text that is put in', () => {
    const word = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        const source = `printf '%s\\0' end ${quoteValue(words, 'words')}`
        const output = execFileSync('/bin/sh', ['-c', source]).toString()
        expect(output.split('\0').slice(1, -1)).toEqual(words)
      }),
      { numRuns: 150 },
    )
  })
})

describe('vm.$', () => {
  let tiny: TinyVm
  let vm: TinyVm['vm']
  beforeAll(async () => {
    tiny = await bootTiny()
    vm = tiny.vm
  })
  afterAll(() => tiny[Symbol.asyncDispose]())

  test('runs a script in the guest', async () => {
    const { stdout, command } = await vm.$`for i in 1 2; do echo "$i ${'a'}"; done | tr 1 x`
    expectTypeOf(stdout).toEqualTypeOf<string>()
    expect(stdout).toBe('x a\n2 a')
    expect(command).toBe('for i in 1 2; do echo "$i a"; done | tr 1 x')
  })

  test('takes options, and adds further ones to them', async () => {
    const inTmp = vm.$({ cwd: '/tmp', env: { A: '1' } })
    expect((await inTmp`echo "$PWD $A"`).stdout).toBe('/tmp 1')
    const bytes = await inTmp({ encoding: 'buffer' })`pwd`
    expectTypeOf(bytes.stdout).toEqualTypeOf<Buffer>()
    expect(bytes.stdout.toString()).toBe('/tmp\n')
    expect((await inTmp({ reject: false })`exit 3`).exitCode).toBe(3)
  })

  test('stops at the first command that fails', async () => {
    const error = await rejection(vm.$`echo one
      false
      echo two`)
    expect(error).toMatchObject({ code: 'GUEST_COMMAND_FAILED', exitCode: 1, stdout: 'one' })
  })

  test('points to the line that called it', async () => {
    const error = await rejection(vm.$`exit 1`)
    expect(error.stack?.split('\n').find((line) => line.startsWith('    at'))).toContain(
      'shell.test.ts',
    )
  })

  test('rejects, and does not throw, for a value that it cannot take', async () => {
    const value = undefined as unknown as string
    expect((await rejection(vm.$`echo ${value}`)).code).toBe('INVALID_VALUE')
  })
})
