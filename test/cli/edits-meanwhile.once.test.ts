import { expect, test } from 'vitest'
import { makeProject, writeIn } from './defined-project.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

/** States whose setups edit what others are made of, as a user may while they run. */
const STATES = `
import { writeFileSync } from 'node:fs'
import { image, machine } from 'vitest-vm-states/states'
import { text } from './helper.js'

const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB', boot: 'cold' })
export const base = tiny.state('base', () => writeFileSync('vm/helper.ts', "export const text = 'new'"))
export const child = base.state('child', (vm) => vm.writeFile('/text', text))
export const reader = tiny.state('reader', () => writeFileSync('vm/input', 'new'), {
  inputs: { files: ['./input'] },
})
`

test('a state is stored as what was run, whatever was edited while it was built', async () => {
  await makeProject(place, STATES)
  await writeIn(place, 'vm/helper.ts', "export const text = 'old'")
  await writeIn(place, 'vm/input', 'old')
  const built = await place.start(['build', 'tiny/child'])
  expect(built, built.stderr).toMatchObject({ exitCode: 0 })
  const { states } = json(await place.states(['list', '--json'])) as {
    states: { name: string; status: string }[]
  }
  expect(states.find(({ name }) => name === 'tiny/child')).toMatchObject({ status: 'not built' })

  const edited = await place.start(['build', 'tiny/reader'])
  expect(edited.exitCode).toBe(3)
  expect(edited.stderr).toContain('the input file ./input has changed meanwhile')
  const again = await place.start(['build', 'tiny/reader'])
  expect(again, again.stderr).toMatchObject({ exitCode: 0 })
})
