import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { Vm } from '../../src/guest/vm.js'
import { configSchema } from '../../src/params/config.js'
import { machineOptionsSchema } from '../../src/params/machine.js'
import { stateOptionsSchema } from '../../src/params/state.js'
import { resolvePolicy, resolveRootPolicy } from '../../src/states/policies/policy.js'
import { readDocument, root } from './documents.js'

const BIN = resolve(root, 'dist/cli/bin.js')

const reference = readDocument('docs/reference.md')

/** The part of the reference under a heading, to the next one of the same or a higher level. */
function section(heading: string): string {
  const [, rest] = reference.split(`\n${heading}\n`)
  if (rest === undefined) throw new Error(`the reference has no heading "${heading}"`)
  const level = heading.split(' ')[0]?.length ?? 1
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'))
  return end === -1 ? rest : rest.slice(0, end)
}

/** The rows of a section's tables without their headings, as lists of cells. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(1, -1).split('|'))
    .map((cells) => cells.map((cell) => cell.trim()))
    .filter((_, index, all) => !all[index + 1]?.[0]?.startsWith('---'))
    .filter(([first]) => !first?.startsWith('---'))
}

/** What the first column of a section's tables names. */
function named(text: string): string[] {
  const cells = rows(text).map(([first = '']) => first)
  return cells.flatMap((cell) => (cell.match(/`[^`]+`/g) ?? []).map((name) => name.slice(1, -1)))
}

async function help(...command: string[]): Promise<string> {
  const { stdout } = await execa(process.execPath, [BIN, ...command, '--help'])
  return stdout
}

const flags = (text: string) => [...new Set(text.match(/--[a-z][a-z-]+/g))].sort()

describe('the reference has exactly', () => {
  test('the keys of the configuration', () => {
    const keys = Object.keys(configSchema.shape)
    expect(named(section('## Configuration')).sort()).toEqual(keys.sort())
  })

  test('the options of a machine', () => {
    const options = Object.keys(machineOptionsSchema.shape)
    expect(named(section('## Machines')).sort()).toEqual(options.sort())
  })

  test('the options of a state', () => {
    const { inputs, ...others } = stateOptionsSchema.shape
    const inner = Object.keys(inputs.unwrap().shape).map((key) => `inputs.${key}`)
    const options = [...Object.keys(others), ...inner]
    expect(named(section('## States')).sort()).toEqual(options.sort())
  })

  test('the environment variables that the code reads', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    const sources = files.filter((file) => file.endsWith('.ts'))
    const text = sources.map((file) => readFileSync(join(root, 'src', file), 'utf8')).join('\n')
    const read = new Set(text.match(/VM_STATES_[A-Z_]+/g))
    const listed = named(section('## Environment variables'))
    expect(listed.filter((name) => name.startsWith('VM_')).sort()).toEqual([...read].sort())
  })

  test('the words that each policy knows', () => {
    for (const [operation = '', exists = '', missing = ''] of rows(section('### Policies'))) {
      for (const word of ['reuse', 'force', 'abort', 'ignore']) {
        expect(allows(operation, { exists: word })).toBe(exists.includes(word))
        expect(allows(operation, { missing: word })).toBe(missing.includes(word))
      }
    }
  })

  test('the defaults of each policy', () => {
    const defaults = rows(section('### Policies')).map(([operation, , , words]) => [
      operation,
      words,
    ])
    const operations = ['get', 'set', 'unset', 'push', 'pop'] as const
    const expected = operations.map((operation) => {
      const { exists, missing } = resolvePolicy(operation)
      return [operation, `${exists} / ${missing}`]
    })
    expect(defaults).toEqual(expected)
  })

  test('the words and the defaults of the policies for roots', () => {
    for (const [operation = '', exists = '', missing = '', defaults] of rows(
      section('### Roots and boots'),
    )) {
      const words = (text: string) => text.split(', ')
      for (const word of words(exists)) resolveRootPolicy(operation as 'get', { exists: word })
      for (const word of words(missing)) resolveRootPolicy(operation as 'get', { missing: word })
      const policy = resolveRootPolicy(operation as 'get')
      expect(`${policy.exists} / ${policy.missing}`).toBe(defaults)
    }
  })

  test('the commands and their options', async () => {
    const commands = [...(await help()).matchAll(/^ {2}([a-z]+) .*[[<]/gm)].map(
      ([, name = '']) => name,
    )
    const listed = [...reference.matchAll(/^### states (.*)$/gm)].map(([, name]) => name)
    expect(listed).toEqual(commands.filter((name) => name !== 'help'))
    const everywhere = ['--help', '--json']
    const documented = listed.map((name) => flags(section(`### states ${name}`)))
    const real = await Promise.all(listed.map(async (name = '') => options(await help(name))))
    const without = (names: string[]) => names.filter((name) => !everywhere.includes(name))
    expect(documented.map(without)).toEqual(real.map(without))
  })

  test('the methods of a Vm', () => {
    const listed = named(section('## Vm')).join(' ')
    const methods = Object.getOwnPropertyNames(Vm.prototype).filter(
      (name) => name !== 'constructor',
    )
    for (const name of methods) expect(listed).toMatch(new RegExp(`\\b${name}\\b`))
  })
})

/** The options of a command's own, without those that its examples use. */
function options(text: string): string[] {
  return flags([...text.matchAll(/^ {2}(-.*?)(?: {2}|$)/gm)].map(([line]) => line).join('\n'))
}

function allows(operation: string, policy: { exists?: string; missing?: string }): boolean {
  try {
    resolvePolicy(operation as 'get', policy)
    return true
  } catch {
    return false
  }
}
