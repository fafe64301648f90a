import { access, chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { execa } from 'execa'
import { beforeEach, describe, expect, test } from 'vitest'
import { makeStoreWithTiny } from '../support/store-with-tiny.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

const STATES = `
import { image, machine } from 'vitest-vm-states/states'

const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
export const one = tiny.state('one', (vm) => vm.writeFile('/root/one', '1'))
export const two = one.state('two', (vm) => vm.writeFile('/root/two', '2'))
export const live = one.live('live', (vm) => vm.writeFile('/root/live', '3'))
`

beforeEach(async () => {
  await mkdir(place.path('node_modules'))
  await symlink(resolve(import.meta.dirname, '../..'), place.path('node_modules/vitest-vm-states'))
  await write('package.json', '{ "type": "module" }')
  await configure({ states: './vm/states.ts', store: './store' })
  await write('vm/states.ts', STATES)
})

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(place.path(name)), { recursive: true })
  await writeFile(place.path(name), text)
}

async function configure(config: object): Promise<void> {
  const text = `import { defineConfig } from 'vitest-vm-states/states'
    export default defineConfig(${JSON.stringify(config)})`
  await write('states.config.ts', text)
}

interface View {
  name: string
  status: string
  size?: number
  reason?: string
}

async function list(...args: string[]): Promise<View[]> {
  return (json(await place.states(['list', '--json', ...args])) as { states: View[] }).states
}

/** Name and status of what is listed. */
async function statuses(...args: string[]): Promise<string[]> {
  return (await list(...args)).map(({ name, status }) => `${name} ${status}`)
}

const exists = (name: string) =>
  access(place.path(name)).then(
    () => true,
    () => false,
  )

describe('states of the configuration', () => {
  test('are built for an overlay, shown, kept while it exists, and removed', async () => {
    await makeStoreWithTiny(place.path('store'))
    const overlay = place.path('out.qcow2')
    expect(await place.states(['get', 'tiny/two', '--output', 'out.qcow2'])).toMatchObject({
      exitCode: 0,
      stdout: `${overlay} stands on tiny/two`,
    })
    const args = ['info', '--backing-chain', '--output=json', '-f', 'qcow2', overlay]
    const chain = JSON.parse((await execa('qemu-img', args)).stdout) as { filename: string }[]
    expect(chain[0]?.filename).toBe(overlay)
    expect(chain[1]?.filename).toContain(place.path('store/objects/'))
    expect((await execa('qemu-img', ['check', '-f', 'qcow2', overlay])).exitCode).toBe(0)

    expect(await place.states(['check', 'tiny/two'])).toMatchObject({
      exitCode: 0,
      stdout: 'tiny/two is there',
    })
    expect(await statuses()).toEqual([
      'tiny/root image',
      'tiny/one built',
      'tiny/two built',
      'tiny/live not built',
    ])
    const { stdout } = await place.states(['show', 'tiny'])
    expect(stdout).toMatch(
      /^STATE +KIND +STANDS ON +STATUS +BUILT ON +LAST USED +OWN +SHARED +RAM \(ON DISK\)\n/,
    )
    expect(stdout).toMatch(
      /^tiny\/two +disk +tiny\/one +built +\d{4}-\d\d-\d\d .* [KM]iB +[\d.]+ [KM]iB +-$/m,
    )

    // Another version of the project has another state of that name.
    await write('vm/states.ts', STATES.replace(`'2'`, `'changed'`))
    expect(await statuses()).toContain('tiny/two not built')
    expect(await statuses()).toContain('tiny/two stored')
    await write('vm/states.ts', STATES)

    const again = await place.states(['get', 'tiny/two', '--output', 'out.qcow2'])
    expect(again.exitCode).toBe(2)
    expect(again.stderr).toContain(`error OUTPUT_EXISTS: ${overlay}`)

    const parent = await place.states(['unset', 'tiny/one'])
    expect(parent.exitCode).toBe(1)
    expect(parent.stderr).toContain('error STATE_HAS_CHILDREN: ')
    const pinned = await place.states(['unset', 'tiny/two'])
    expect(pinned.exitCode).toBe(1)
    expect(pinned.stderr).toContain('error OBJECT_IN_USE: ')
    await execa('rm', [overlay])

    // Killed after qemu-img has written the overlay, and before it has its name.
    const bin = place.path('bin')
    const { stdout: qemuImg } = await execa('which', ['qemu-img'])
    await write('bin/qemu-img', `#!/bin/sh\n${qemuImg} "$@"\nkill -9 $PPID\n`)
    await chmod(place.path('bin/qemu-img'), 0o755)
    const get = ['get', 'tiny/two', '--output', 'out.qcow2']
    const before = await readdir(place.path('.'))
    const killed = place.start(get, { env: { PATH: `${bin}:${process.env.PATH}` } })
    expect((await killed).signal).toBe('SIGKILL')
    expect(await exists('out.qcow2')).toBe(false)
    expect((await place.states(get)).exitCode).toBe(0)
    const after = await readdir(place.path('.'))
    expect(after.filter((name) => !before.includes(name))).toEqual(['out.qcow2'])
    await execa('rm', [overlay])
    const { stdout: removed } = await place.states(['unset', 'tiny/one', '--with-children'])
    expect(removed).toBe('tiny/one is removed from the store')
    expect(await statuses('tiny')).toEqual([
      'tiny/root image',
      'tiny/one not built',
      'tiny/two not built',
      'tiny/live not built',
    ])
  })

  test('are told to be missing with exit code 1', async () => {
    expect(await place.states(['check', 'tiny/one'])).toMatchObject({
      exitCode: 1,
      stdout: 'tiny/one is not built',
    })
    expect(await place.states(['unset', 'tiny/one'])).toMatchObject({
      exitCode: 0,
      stdout: 'tiny/one is not in the store',
    })
    expect((await place.states(['unset', 'tiny/one', '--on-missing', 'abort'])).exitCode).toBe(1)
  })

  test('are not built where that is not wanted', async () => {
    const get = ['get', 'tiny/one', '--output', 'out.qcow2']
    const abort = await place.states([...get, '--on-missing', 'abort'])
    expect(abort.exitCode).toBe(1)
    expect(abort.stderr).toContain('error STATE_NOT_BUILT: ')
    const never = await place.states(get, { env: { VM_STATES_BUILD: 'never' } })
    expect(never.exitCode).toBe(1)
    expect(never.stderr).toContain('error STATE_NOT_BUILT: ')
    const ignore = await place.states([...get, '--on-missing', 'ignore'])
    expect(ignore).toMatchObject({ exitCode: 0, stdout: 'tiny/one: nothing done' })
    expect(await exists('out.qcow2')).toBe(false)
  })

  test('that are live cannot be an overlay', async () => {
    const { exitCode, stderr } = await place.states(['get', 'tiny/live', '--output', 'a.qcow2'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error STATE_IS_LIVE: ')
    expect(await exists('a.qcow2')).toBe(false)
  })

  test('do not include the image itself when it comes to removing', async () => {
    const { exitCode, stderr } = await place.states(['unset', 'tiny/root'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error SETUP_ONLY: tiny/root is the image itself')
  })

  test.each([
    ['tniy/one', 'tniy is no image, machine or environment', 'Did you mean tiny?'],
    ['tiny/ome', 'the machine tiny has no state ome', 'Did you mean one?'],
    [
      'tiny/other',
      'the machine tiny has no state other',
      'The machine tiny has root, one, two, live.',
    ],
  ])('%s is unknown, and the near name is told', async (target, message, hint) => {
    const { exitCode, stderr } = await place.states(['show', target])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`error STATE_UNKNOWN: ${message}\n  ${hint}`)
  })

  test.each([
    [['./vm/states.ts', './vm/more.ts', './vm/most.ts']],
    [['./vm/most.ts', './vm/more.ts', './vm/states.ts']],
  ])('may be spread over files that import each other: %j', async (states) => {
    const more = (name: string) => `import { one } from './states.js'
      export const ${name} = one.state('${name}', () => {})`
    await write('vm/more.ts', more('more'))
    await write('vm/most.ts', more('most'))
    await configure({ states, store: './store' })
    const names = (await list()).map(({ name }) => name)
    expect(names.sort()).toEqual(
      ['live', 'more', 'most', 'one', 'root', 'two'].map((n) => `tiny/${n}`),
    )
  })

  test('are listed for one machine, whose name must be known', async () => {
    expect(await statuses('tiny')).toHaveLength(4)
    const { exitCode, stderr } = await place.states(['list', 'tniy'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error STATE_UNKNOWN: no machine is called tniy\n  Did you mean tiny?')
  })

  test('without a configuration are none', async () => {
    const cwd = place.path('vm')
    await execa('rm', [place.path('states.config.ts')])
    for (const command of ['build', 'graph']) {
      const nothing = await place.states([command], { cwd })
      expect(nothing.exitCode).toBe(2)
      expect(nothing.stderr).toMatch(
        /^error STATE_UNKNOWN: no states are defined\n {2}There is no states\.config\.ts here or above\. /,
      )
    }
    const { stderr } = await place.states(['check', 'tiny/one'], { cwd })
    expect(stderr).toContain('There is no states.config.ts here or above')
    const { stdout } = await place.states(['list'], { cwd })
    const store = place.path('cache/vitest-vm-states')
    expect(stdout).toBe(`there are no states in ${store}`)
    const named = await place.states(['list', 'tiny'], { cwd })
    expect(named.exitCode).toBe(2)
    expect(named.stderr).toContain('error STATE_UNKNOWN: no machine is called tiny')
  })

  test.each([
    ['cannot be parsed', 'export const a = ('],
    ['throw', 'throw new Error("out of order")'],
    ['import what is not there', 'import "./nowhere.js"'],
  ])('in a file that would %s are an error that names the file', async (_what, text) => {
    await write('vm/states.ts', text)
    const { exitCode, stderr } = await place.states(['list'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`error INVALID_CONFIG: ${place.path('vm/states.ts')} cannot be loaded`)
  })

  test('whose image is missing are listed all the same', async () => {
    await write('vm/states.ts', STATES.replace('image.tiny()', `image.file('./none.qcow2')`))
    const states = await list()
    expect(states.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'tiny/root unknown',
      'tiny/one unknown',
      'tiny/two unknown',
      'tiny/live unknown',
    ])
    expect(states[1]?.reason).toContain('none.qcow2')
  })

  test('of which one cannot be told do not hide the others', async () => {
    await write(
      'vm/states.ts',
      `${STATES}for (const n of [1, 2]) one.state('n' + n, (vm) => vm.writeFile('/n', n + ''))`,
    )
    const states = await list()
    expect(states.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'tiny/root image',
      'tiny/one not built',
      'tiny/two not built',
      'tiny/live not built',
      'tiny/n1 unknown',
      'tiny/n2 unknown',
    ])
    expect(states[4]?.reason).toContain('uses "n"')
  })
})
