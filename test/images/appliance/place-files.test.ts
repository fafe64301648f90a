import { execFileSync } from 'node:child_process'
import { chmod, lstat, mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { placeFiles } from '../../../src/images/appliance/place-files.js'
import { sourceFile, startScript } from '../../support/script.js'
import { makeScratch, type Scratch } from '../scratch.js'

let scratch: Scratch
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(() => scratch[Symbol.asyncDispose]())

/** A tar file as the small guest packs it, of a directory that its owner may not write to, and a file. */
async function archive(): Promise<string> {
  const disk = scratch.path('disk')
  await mkdir(`${disk}/srv/closed`, { recursive: true })
  await writeFile(`${disk}/srv/closed/file`, 'text')
  await writeFile(`${disk}/srv/other`, 'text')
  await chmod(`${disk}/srv/closed`, 0o555)
  const file = scratch.path('archive.tar')
  execFileSync('tar', ['-cf', file, '-C', disk, './srv/closed', './srv/other'])
  await chmod(`${disk}/srv/closed`, 0o755)
  return file
}

const PATHS = ['/srv/closed', '/srv/other']

const place = async (file: string, to = scratch.path('out')) =>
  await placeFiles({ archive: file, paths: PATHS, to }, scratch.store, undefined)

/** Files that their owner could not remove otherwise. */
const open755 = () => chmod(scratch.path('out/closed'), 0o755)

it('a directory that nobody may write to is placed as it is', async () => {
  const out = scratch.path('out')
  expect(await place(await archive())).toEqual([`${out}/closed`, `${out}/other`])
  expect((await lstat(`${out}/closed`)).mode & 0o777).toBe(0o555)
  expect((await readdir(out)).sort()).toEqual(['closed', 'other'])
  await open755()
})

it('two calls for one place do not replace what the other has placed', async () => {
  const file = await archive()
  const ended = await Promise.allSettled([place(file), place(file)])
  expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const refused = ended.find((end) => end.status === 'rejected')
  expect(refused?.reason).toMatchObject({ code: 'OUTPUT_EXISTS' })
  await open755()
})

it('nothing is left of a call that fails', async () => {
  const damaged = scratch.path('damaged.tar')
  await writeFile(damaged, 'no tar file')
  await expect(place(damaged)).rejects.toMatchObject({ code: 'TOOL_FAILED' })
  expect(await readdir(scratch.path('out'))).toEqual([])
})

it('what a killed call has left is removed by the next one', async () => {
  const file = await archive()
  const pipe = scratch.path('pipe')
  execFileSync('mkfifo', [pipe])
  const source = `
    import { openStore } from '${sourceFile('store/store.ts')}'
    import { placeFiles } from '${sourceFile('images/appliance/place-files.ts')}'
    const [root, archive, to] = process.argv.slice(2)
    const store = await openStore(root)
    await placeFiles({ archive, paths: ${JSON.stringify(PATHS)}, to }, store, undefined)`
  const out = scratch.path('out')
  await using script = await startScript(source, [scratch.store.root, pipe, out])
  const left = () => readdir(out).catch(() => [])
  await expect.poll(left, { timeout: 60_000 }).toHaveLength(1)
  // tar waits for this.
  await using writer = await open(pipe, 'w')
  script.child.kill('SIGKILL')
  await writer.close()
  await script.ended
  expect(await left()).toHaveLength(1)
  await place(file)
  expect((await left()).sort()).toEqual(['closed', 'other'])
  await open755()
}, 120_000)
