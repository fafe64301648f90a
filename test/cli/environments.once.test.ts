import { readdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { makeProject } from './defined-project.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

const STATES = `
import { environment, image, machine } from 'vitest-vm-states/states'
const tiny = machine('tiny', { image: image.tiny(), memory: '96 MiB' })
const warm = tiny.live('warm', () => {})
export const joined = environment('lab', { client: warm, server: warm }).state('joined', () => {})
`

interface Listed {
  name: string
  status: string
}

describe('states of an environment', () => {
  test('are listed, shown, checked, got and unset as those of a machine', async () => {
    await makeProject(place, STATES)
    const { states } = json(await place.states(['list', '--json'])) as { states: Listed[] }
    expect(states.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'tiny/root image',
      'tiny/warm not built',
      'lab/joined not built',
    ])
    expect((await place.states(['check', 'lab/joined'])).exitCode).toBe(1)
    const got = await place.states(['get', 'lab/joined', '--output', 'out/lab.qcow2'])
    expect(got.stdout).toMatch(
      /lab-client\.qcow2 stands on lab\/joined\n.*lab-server\.qcow2 stands/,
    )
    expect(await readdir(place.path('out'))).toEqual(['lab-client.qcow2', 'lab-server.qcow2'])
    expect((await place.states(['check', 'lab/joined'])).exitCode).toBe(0)
    expect((await place.states(['show', 'lab'])).stdout).toMatch(
      /^lab\/joined +disk +tiny\/warm, tiny\/warm +built/m,
    )
    const refused = await place.states(['unset', 'lab/joined'])
    expect(refused.stderr).toContain('error OBJECT_IN_USE')
    const unknown = await place.states(['show', 'lab/joind'])
    expect(unknown.stderr).toContain('the environment lab has no state joind\n')
    expect(unknown.stderr).toContain('Did you mean joined?')
  }, 240_000)
})
