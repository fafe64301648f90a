import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Notes, OwnNotes } from '../../../src/store/notes/notes.js'
import { SharedNotes } from '../../../src/store/notes/shared-notes.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-notes-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

describe.each<[string, () => Notes]>([
  ['own', () => new OwnNotes()],
  ['shared', () => new SharedNotes(join(directory, 'notes'))],
])('%s notes', (_, make) => {
  it('hold the first fact that is added under a name, until it is written or removed', () => {
    const notes = make()
    expect(notes.read('state')).toBeUndefined()
    expect(notes.add('state', { by: 1 })).toBe(true)
    expect(notes.add('state', { by: 2 })).toBe(false)
    expect(notes.read('state')).toEqual({ by: 1 })
    notes.write('state', { by: 3 })
    expect(notes.read('state')).toEqual({ by: 3 })
    notes.remove('state')
    notes.remove('state')
    expect(notes.read('state')).toBeUndefined()
    expect(notes.add('state', { by: 4 })).toBe(true)
  })
})

describe('shared notes', () => {
  it('are seen by all that have the directory, and leave nothing unfinished', async () => {
    const [one, other] = [new SharedNotes(directory), new SharedNotes(directory)]
    expect([one.add('state', {}), other.add('state', {})]).toEqual([true, false])
    expect(await readdir(directory)).toEqual(['state.json'])
  })

  it('are known to their writer alone where they cannot be written, as in a deleted directory', async () => {
    const place = join(directory, 'run', 'notes')
    const [notes, other] = [new SharedNotes(place), new SharedNotes(place)]
    expect([notes.add('state', { by: 1 }), notes.add('state', { by: 2 })]).toEqual([true, false])
    notes.write('other', { by: 3 })
    expect([notes.read('state'), notes.read('other')]).toEqual([{ by: 1 }, { by: 3 }])
    expect(other.read('state')).toBeUndefined()
    expect(await readdir(directory)).toEqual([])
    await mkdir(place, { recursive: true })
    notes.write('other', { by: 4 })
    notes.remove('state')
    expect([notes.read('state'), other.read('other')]).toEqual([undefined, { by: 4 }])
  })

  it('take what somebody else left there for no fact', async () => {
    await writeFile(join(directory, 'state.json'), '{ half')
    expect(new SharedNotes(directory).read('state')).toBeUndefined()
  })
})
