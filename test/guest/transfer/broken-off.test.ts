import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Channel, Program } from '../../../src/guest/channel/channel.js'
import { download } from '../../../src/guest/transfer/download.js'

/** A guest whose program says that all is well, after what it has printed. */
const guestThatPrints = (bytes: Buffer) =>
  ({
    killTimeout: 1000,
    async start({ stdout }: Program) {
      stdout?.end(bytes)
      const ended = { exitCode: 0, signal: undefined, stdout: Buffer.of(), stderr: Buffer.of() }
      return { ended: Promise.resolve(ended), kill: async () => {} }
    },
  }) as Partial<Channel> as Channel

test.each([
  ['in the midst of a header', Buffer.alloc(100)],
  ['before anything came', Buffer.of()],
])('a download that is broken off %s is an error, and leaves nothing', async (_, bytes) => {
  const directory = await mkdtemp(join(tmpdir(), 'vms-broken-off-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const done = download(guestThatPrints(bytes), '/etc', join(directory, 'etc'), {})
  await expect(done).rejects.toMatchObject({ code: expect.stringMatching(/_FILE_FAILED$/) })
  expect(await readdir(directory)).toEqual([])
})
