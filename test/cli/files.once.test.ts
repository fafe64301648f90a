import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { tinyGuest } from '../support/tiny.js'
import { makeProject } from './defined-project.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

const TIMEOUT = 600_000

const STATES = `
import { environment, image, machine } from 'vitest-vm-states/states'

const tiny = machine('tiny', { image: image.tiny(), memory: '96 MiB', boot: 'cold' })
export const site = tiny.state('site', (vm) => vm.writeFile('/root/page', 'a page'))
export const live = tiny.live('live', () => {})
export const lab = environment('lab', { one: site })
export const joined = lab.state('joined', () => {})
`

beforeEach(() => makeProject(place, STATES), TIMEOUT)

describe('files of states that are not booted', () => {
  test(
    'are extracted, and injected into a new overlay, which the next command extracts them from',
    async () => {
      const extracted = await place.states(['extract', 'tiny/site', '/root/page', '--to', 'out'])
      expect(extracted).toMatchObject({ exitCode: 0, stdout: place.path('out/page') })
      expect(await readFile(place.path('out/page'), 'utf8')).toBe('a page')

      await mkdir(place.path('more'))
      await writeFile(place.path('more/index'), 'another page')
      const injecting = ['inject', 'tiny/site', 'more', '/root', '--output', 'mine.qcow2']
      const injected = await place.states([...injecting, '--json'])
      expect(json(injected)).toEqual({ from: 'tiny/site', files: [place.path('mine.qcow2')] })
      expect(await place.states(injecting)).toMatchObject({ exitCode: 2 })

      const paths = ['/root/more/index', '/root/page']
      const again = await place.states(['extract', 'mine.qcow2', ...paths, '--to', 'again'])
      expect(again.stderr).toBe('')
      expect(await readFile(place.path('again/index'), 'utf8')).toBe('another page')
      expect(await readFile(place.path('again/page'), 'utf8')).toBe('a page')

      // The state is as it was, and no machine or work directory is left.
      const state = await place.states(['extract', 'tiny/site', '/root/more', '--to', 'out'])
      expect(state.stderr).toContain('there is no /root/more')
      expect(await readdir(place.path('store/runs'))).toEqual([])
    },
    TIMEOUT,
  )

  test(
    'of an image are injected into an overlay on it, all or nothing',
    async () => {
      await copyFile((await tinyGuest()).disk, place.path('disk.qcow2'))
      const before = await readFile(place.path('disk.qcow2'))
      await writeFile(place.path('name'), 'renamed\n')
      const inject = (to: string) =>
        place.states(['inject', 'disk.qcow2', 'name', to, '--output', 'mine.qcow2'])
      expect((await inject('/nowhere/name')).stderr).toContain(
        'there is no directory /nowhere/name',
      )
      expect(await readdir(place.path(''))).not.toContain('mine.qcow2')
      expect(await inject('/etc/hostname')).toMatchObject({ exitCode: 0 })
      expect((await readFile(place.path('disk.qcow2'))).equals(before)).toBe(true)
      await place.states(['extract', 'mine.qcow2', '/etc/hostname', '--to', '.'])
      expect(await readFile(place.path('hostname'), 'utf8')).toBe('renamed\n')
    },
    TIMEOUT,
  )

  test('are none of live states and of environments', async () => {
    const refused = async (...args: string[]) => (await place.states(args)).stderr
    const live = await refused('extract', 'tiny/live', '/etc', '--to', 'out')
    expect(live).toContain('tiny/live is a live state')
    const joint = await refused('extract', 'lab/joined', '/etc', '--to', 'out')
    expect(joint).toContain('lab/joined is of several machines')
    expect(await refused('extract', 'tiny/site', '/etc')).toContain('where are the files to go?')
    expect(await refused('inject', 'tiny/site', '/etc')).toContain('inject takes sources')
  })
})
