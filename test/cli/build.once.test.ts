import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { leftInStore } from '../support/store-faults.js'
import { makeProject, writeIn } from './defined-project.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

/** States of which one fails; two that only go on when both are being built; one that never ends. */
const STATES = `
import { image, machine } from 'vitest-vm-states/states'

const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
export const base = tiny.state('base', (vm) => vm.writeFile('/root/base', '1'))
export const broken = base.state('broken', (vm) => vm.$\`ls /nowhere\`)
export const never = broken.live('never', () => {})

let meet = () => {}
const met = new Promise((resolve) => { meet = () => resolve(undefined) })
export const left = base.live('left', () => met)
export const right = base.live('right', () => meet())

const slow = machine('slow', { image: image.tiny(), memory: '128 MiB', boot: 'cold' })
export const endless = slow.live('endless', () => new Promise(() => {}))
`

interface Result {
  name: string
  outcome: string
  seconds?: number
  because?: string
  error?: { code: string; message: string }
}

interface Listed {
  name: string
  status: string
  directory: string
}

const results = (printed: { stdout: string }) => (json(printed) as { states: Result[] }).states

const outcomes = (printed: { stdout: string }) =>
  results(printed).map(({ name, outcome }) => `${name} ${outcome}`)

async function objectOf(name: string): Promise<string | undefined> {
  const { states } = json(await place.states(['list', '--json'])) as { states: Listed[] }
  return states.find((state) => state.name === name && state.status === 'built')?.directory
}

/** Command lines of what runs on the store. */
function running(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const commands = pids.map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    } catch {
      return ''
    }
  })
  return commands.filter((command) => command.includes(place.path('store')))
}

describe('states build', () => {
  test('builds what is named with its parents, and all that a failure does not keep from it', async () => {
    await makeProject(place, STATES)
    const build = ['build', 'tiny/broken', 'tiny/never', 'tiny/left', 'tiny/right']
    const first = await place.start([...build, '--no-boots'])
    expect(first.exitCode).toBe(3)
    // Both setups are at work at the same time, else neither would end.
    expect(first.stdout).toMatch(/^tiny\/left +live +built in \d+\.\d s$/m)
    expect(first.stdout).toMatch(/^tiny\/right +live +built in \d+\.\d s$/m)
    expect(first.stdout).toMatch(/^tiny\/base +disk +built in \d+\.\d s$/m)
    expect(first.stdout).toMatch(/^tiny\/broken +disk +failed$/m)
    expect(first.stdout).toMatch(
      /^tiny\/never +live +not built: it needs tiny\/broken, which failed$/m,
    )
    expect(first.stdout).toMatch(/^3 built, 1 failed, 1 not built, in \d+\.\d s$/m)
    expect(first.stderr).toContain('tiny/base: running the setup …\n')
    expect(first.stderr).toMatch(/^tiny\/base: built in \d+\.\d s$/m)
    expect(first.stderr).toMatch(
      /^error BUILD_FAILED: tiny\/broken could not be built: its setup failed: .*ls \/nowhere$/m,
    )
    expect(first.stdout + first.stderr).not.toContain('\x1b[')

    const again = await place.start([...build, '--no-boots', '--json'])
    expect(again.exitCode).toBe(3)
    expect(again.stderr).toMatch(/^tiny\/broken: starting the machine …$/m)
    expect(again.stderr).not.toContain('error')
    expect(outcomes(again)).toEqual([
      'tiny/root image',
      'tiny/base reused',
      'tiny/broken failed',
      'tiny/never not built',
      'tiny/left reused',
      'tiny/right reused',
    ])
    const [, , failed, kept] = results(again)
    expect(failed?.error).toMatchObject({ code: 'BUILD_FAILED' })
    expect(kept?.because).toBe('tiny/broken')

    // Mended; boots are built of what is named, not of what it stands on.
    await writeIn(place, 'vm/states.ts', STATES.replace('ls /nowhere', 'ls /'))
    const mended = await place.start(['build', 'tiny/broken', '--json'], {
      env: { VM_STATES_BUILD: 'never' },
    })
    expect(outcomes(mended)).toEqual([
      'tiny/root image',
      'tiny/base reused',
      'tiny/broken built',
      'tiny/broken booted built',
    ])
    expect(results(mended).map(({ seconds }) => Number(seconds) > 0)).toEqual([
      false,
      false,
      true,
      true,
    ])

    // By force: another object under the same key, with a boot of its own; what stands on it stays.
    const [base, left] = [await objectOf('tiny/base'), await objectOf('tiny/left')]
    const forced = await place.start(['build', 'tiny/base', '--force'])
    expect(forced.exitCode).toBe(0)
    expect(forced.stderr).toMatch(
      /^tiny\/base: running the setup \(\d+\.\d s in all last time\) …$/m,
    )
    expect(forced.stderr).toContain('tiny/base booted: keeping the state')
    expect(forced.stderr).not.toContain('tiny/base booted: running the setup')
    expect(await objectOf('tiny/base')).not.toBe(base)
    expect(await objectOf('tiny/left')).toBe(left)
    expect(outcomes(await place.states(['build', 'tiny/base', 'tiny/left', '--json']))).toEqual([
      'tiny/root image',
      'tiny/base reused',
      'tiny/base booted reused',
      'tiny/left reused',
    ])
    const get = ['get', 'tiny/broken', '--output', 'broken.qcow2']
    const abort = await place.states([...get, '--on-exists', 'abort'])
    expect(abort.exitCode).toBe(1)
    expect(abort.stderr).toContain('error STATE_EXISTS: tiny/broken is built already')
    expect((await place.states(get)).exitCode).toBe(0)
    const check = ['check', '-f', 'qcow2', place.path('broken.qcow2')]
    await promisify(execFile)('qemu-img', check)
  }, 180_000)

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends its machines and gives back its locks on %s', async (signal, ended) => {
    await makeProject(place, STATES)
    const building = place.start(['build', 'slow', '--jobs', '1'])
    const begun = new Promise<void>((resolve) => {
      building.stderr.on('data', (text) => {
        if (String(text).includes('slow/endless: running the setup')) resolve()
      })
    })
    await Promise.race([begun, building])
    expect(running().filter((command) => command.includes('qemu-system'))).toHaveLength(1)
    building.kill(signal)
    const { exitCode, stdout } = await building
    expect({ exitCode, stdout }).toEqual({ exitCode: ended, stdout: '' })
    expect(running()).toEqual([])
    expect(await leftInStore(place.path('store'))).toEqual([])
  })

  test('refuses names that nothing has', async () => {
    await makeProject(place, STATES)
    const unknown = async (name: string) => (await place.states(['build', name])).stderr
    expect(await unknown('tniy')).toContain(
      'error STATE_UNKNOWN: there is no machine or environment tniy',
    )
    expect(await unknown('tiny/bsae')).toMatch(
      /error STATE_UNKNOWN: the machine tiny has no state bsae\n {2}Did you mean base\?/,
    )
    expect(await unknown('tiny/base booted')).toContain(
      'error USAGE: tiny/base booted is not built by itself\n  It comes with its state: states build tiny/base',
    )
    const { exitCode, stderr } = await place.states(['build', '--jobs', '0'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error USAGE: --jobs is "0"')
  })
})
