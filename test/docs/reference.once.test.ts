import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { configSchema } from '../../src/params/config.js'
import { imageSchema } from '../../src/params/image.js'
import { machineOptionsSchema } from '../../src/params/machine.js'
import { stateOptionsSchema } from '../../src/params/state.js'
import { resolvePolicy } from '../../src/states/policies/policy.js'
import { compiledSources } from '../support/compiled-sources.js'
import { readDocument, root } from './documents.js'

const reference = readDocument('docs/reference.md')

/** The part of the reference under a heading, to the next one of the same or a higher level. */
function section(heading: string): string {
  const start = reference.indexOf(`${heading}\n`)
  expect(start, `the reference has no heading "${heading}"`).toBeGreaterThan(-1)
  const level = heading.split(' ')[0]?.length ?? 1
  const rest = reference.slice(start + heading.length)
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'))
  return end === -1 ? rest : rest.slice(0, end)
}

/** The rows of a section's table, as lists of cells. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(1, -1).split('|'))
    .map((cells) => cells.map((cell) => cell.trim()))
}

/** What the first column of a section's table names. */
function named(text: string): string[] {
  return rows(text).flatMap(([cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
}

async function help(...command: string[]): Promise<string> {
  const { stdout } = await execa(process.execPath, [BIN, ...command, '--help'])
  return stdout
}

const flags = (text: string) => new Set(text.match(/--[a-z][a-z-]+/g))

describe('the reference has', () => {
  test('every key of the configuration', () => {
    expect(named(section('## Configuration'))).toEqual(Object.keys(configSchema.shape))
  })

  test('every option of a machine', () => {
    expect(named(section('## Machines'))).toEqual(Object.keys(machineOptionsSchema.shape).sort(byOption))
  })
})
