import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { recordUsage } from '../../src/states/usage/record-usage.js'
import { openStore } from '../../src/store/store.js'
import { makeProject, writeIn } from './defined-project.js'
import { elements, readXml } from './graph/xml.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

const STATES = `
import { image, machine } from 'vitest-vm-states/states'

const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
export const one = tiny.state('one', () => {})
export const two = one.live('two', () => {})
export const lost = machine('lost', { image: image.file('./none.qcow2') }).state('lost', () => {})
`

const NAMES = ['lost/root', 'lost/lost', 'tiny/root', 'tiny/one', 'tiny/one booted', 'tiny/two']

interface Graph {
  states: { name: string; kind: string; status: string; parents: string[]; reason?: string }[]
}

async function draw(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await place.states(['graph', ...args])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
}

test('states graph shows what is built of the states, in each format', async () => {
  await makeProject(place, STATES)
  expect((await place.states(['build', 'tiny/one'])).exitCode).toBe(0)

  await using store = await openStore(place.path('store'))
  await writeIn(place, 'web.test.ts', '')
  await recordUsage(store, place.path(''), {
    files: { 'web.test.ts': ['tiny/two'] },
    buildSeconds: {},
  })

  const { states } = json({ stdout: await draw('--json') }) as Graph
  expect(states.map(({ name, kind, status }) => `${name} ${kind} ${status}`)).toEqual([
    'lost/root image unknown',
    'lost/lost disk unknown',
    'tiny/root image image',
    'tiny/one disk built',
    'tiny/one booted boot built',
    'tiny/two live not built',
  ])
  expect(states.map(({ parents }) => parents.join())).toEqual([
    '',
    'lost/root',
    '',
    'tiny/root',
    'tiny/one',
    'tiny/one',
  ])
  expect(states[1]?.reason).toContain('none.qcow2')

  const text = await draw()
  expect(text).toMatch(
    /^└─ one +disk +built +\d+ KiB +\d+\.\d s +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +-$/m,
  )
  expect(text).toMatch(/^ {3}├─ one booted +boot +built /m)
  expect(text).toMatch(/^ {3}└─ two +live +not built +- +- +- +web\.test\.ts$/m)
  expect(text).not.toContain('\x1b[')

  expect(await draw('--format', 'mermaid')).toMatch(/^flowchart LR\n {2}subgraph m0 \["lost"\]\n/)
  expect(await draw('--format', 'dot')).toMatch(/^digraph states \{\n(?:.*\n)*\}$/)

  const output = place.path('pictures/states.svg')
  expect(await draw('--output', 'pictures/states.svg')).toBe(`${output} shows 6 states`)
  const drawn = elements(readXml((await readFile(output, 'utf8')).trimEnd()))
  expect(drawn.flatMap(({ attributes }) => attributes['data-state'] ?? [])).toEqual(NAMES)

  const refused = async (...args: string[]) => (await place.states(['graph', ...args])).stderr
  expect(await refused('--format', 'svgg')).toContain(
    'error USAGE: there is no format "svgg"\n  Did you mean svg? The formats are text, mermaid, dot, svg.',
  )
  expect(await refused('--output', 'vm')).toBe(
    `error USAGE: --output: ${place.path('vm')} is no place for a file`,
  )
})
