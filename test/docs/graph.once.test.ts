import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadModule } from '../../src/params/load-module.js'
import { collectDefinitions } from '../../src/states/definitions/collect.js'
import { nameOf } from '../../src/states/definitions/name-of.js'
import { parentsOf } from '../../src/states/definitions/parents-of.js'
import { DETAILS } from '../../src/states/definitions/types.js'
import { elements, readXml } from '../cli/graph/xml.js'
import { readDocument, root } from './documents.js'

test('docs/graph.svg shows the states of the demo as they are defined', async () => {
  const module = await loadModule(join(root, 'examples/demo/vm/states.ts'))
  const machines = [...collectDefinitions([module]).values()]
  const states = machines.flatMap((machine) => [...machine[DETAILS].states.values()])
  const drawn = elements(readXml(readDocument('docs/graph.svg').trimEnd()))
  const valuesOf = (name: string) => drawn.flatMap(({ attributes }) => attributes[name] ?? [])
  // Kept boots are no states that anybody defines.
  const isDefined = (name: string) => !name.endsWith(' booted')
  expect(valuesOf('data-state').filter(isDefined)).toEqual(states.map(nameOf))
  expect(valuesOf('data-edge').filter(isDefined)).toEqual(
    states.flatMap((state) =>
      parentsOf(state).map((parent) => `${nameOf(parent)} ${nameOf(state)}`),
    ),
  )
  const texts = drawn.map(({ text }) => text)
  expect(texts).toContain('web.test.ts')
})
