import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readUsage } from '../../../src/states/usage/read-usage.js'
import { recordUsage } from '../../../src/states/usage/record-usage.js'
import { usageFile } from '../../../src/states/usage/usage.js'
import { scratchDirectory, scratchStore } from '../../store/support/scratch-store.js'

const NOTHING = { files: {}, buildSeconds: {} }

async function projectWith(...files: string[]): Promise<string> {
  const root = await scratchDirectory()
  await Promise.all(files.map((file) => writeFile(join(root, file), '')))
  return root
}

describe('the usage of states', () => {
  it('is what several runs of parts of the tests told together', async () => {
    const store = await scratchStore()
    const root = await projectWith('a.test.ts', 'b.test.ts')
    await recordUsage(store, root, {
      files: { 'b.test.ts': ['m/b'], 'a.test.ts': ['m/a'] },
      buildSeconds: { 'm/a': 1, 'm/b': 2 },
    })
    await recordUsage(store, `${root}/.`, {
      files: { 'a.test.ts': ['m/b', 'm/c'] },
      buildSeconds: { 'm/b': 3 },
    })
    const usage = await readUsage(store, root)
    expect(usage).toEqual({
      files: { 'a.test.ts': ['m/b', 'm/c'], 'b.test.ts': ['m/b'] },
      buildSeconds: { 'm/a': 1, 'm/b': 3 },
    })
    expect(Object.keys(usage.files)).toEqual(['a.test.ts', 'b.test.ts'])
  })

  it('forgets files that use no states any more, or are gone', async () => {
    const store = await scratchStore()
    const root = await projectWith('a.test.ts', 'b.test.ts', 'c.test.ts')
    const files = { 'a.test.ts': ['m/a'], 'b.test.ts': ['m/a'], 'c.test.ts': ['m/a'] }
    await recordUsage(store, root, { files, buildSeconds: {} })
    await rm(join(root, 'b.test.ts'))
    await recordUsage(store, root, { files: { 'c.test.ts': [] }, buildSeconds: {} })
    expect((await readUsage(store, root)).files).toEqual({ 'a.test.ts': ['m/a'] })
  })

  it('is kept for each project by itself, and nothing is known of others', async () => {
    const store = await scratchStore()
    const root = await projectWith('a.test.ts')
    await recordUsage(store, root, { files: { 'a.test.ts': ['m/a'] }, buildSeconds: {} })
    expect(await readUsage(store, await projectWith('a.test.ts'))).toEqual(NOTHING)
  })

  it('loses nothing when runs end at once', async () => {
    const store = await scratchStore()
    const names = Array.from({ length: 8 }, (_, index) => `${index}.test.ts`)
    const root = await projectWith(...names)
    await Promise.all(
      names.map((name) =>
        recordUsage(store, root, { files: { [name]: ['m/a'] }, buildSeconds: {} }),
      ),
    )
    expect(Object.keys((await readUsage(store, root)).files)).toEqual(names)
  })

  it('begins anew where the file is damaged or of another version', async () => {
    const store = await scratchStore()
    const root = await projectWith('a.test.ts')
    await recordUsage(store, root, { files: { 'a.test.ts': ['m/a'] }, buildSeconds: {} })
    const damaged = ['{ "form', '{ "format": 2, "files": {} }', '{ "format": 1, "files": null }']
    const odd = '{ "format": 1, "files": { "a": 1, "b": [null] }, "buildSeconds": { "m/a": "x" } }'
    for (const text of [...damaged, odd]) {
      await writeFile(usageFile(store.root, root), text)
      expect(await readUsage(store, root)).toEqual(NOTHING)
    }
    await recordUsage(store, root, { files: { 'a.test.ts': ['m/b'] }, buildSeconds: {} })
    expect((await readUsage(store, root)).files).toEqual({ 'a.test.ts': ['m/b'] })
  })
})
