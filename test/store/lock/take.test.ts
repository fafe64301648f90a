import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockFiles } from '../../../src/store/lock/lock-files.js'
import { take } from '../../../src/store/lock/take.js'
import { newOwnerRecord, readOwner } from '../../../src/store/owner/owner-record.js'
import { scratchDirectory } from '../support/scratch-store.js'

test('whoever saw a dead owner, but came too late to replace it, leaves its successor alone', async () => {
  const locks = join(await scratchDirectory(), 'locks')
  await mkdir(locks)
  const files = lockFiles(locks, 'contested')
  const [dead, quick, slow] = [newOwnerRecord(), newOwnerRecord(), newOwnerRecord()]
  await symlink(JSON.stringify(dead), files.record)
  const isDead = async (owner: { nonce: string }) => owner.nonce === dead.nonce
  const rival = await take(locks, files, slow, async (owner) => {
    if (owner.nonce !== dead.nonce) return false
    expect(await take(locks, files, quick, isDead)).toBeUndefined()
    return true
  })
  expect(rival?.nonce).toBe(quick.nonce)
  expect((await readOwner(files.record))?.nonce).toBe(quick.nonce)
})
