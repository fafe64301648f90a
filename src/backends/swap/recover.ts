import type { Stats } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { refuseRunning } from '../image/refuse-running.js'
import {
  helperPrefix,
  type Journal,
  type JournalEntry,
  readJournal,
  removeJournal,
} from './journal.js'

/**
 * Undoes what a killed operation left half done, and removes its short-lived files. The images must
 * be locked.
 *
 * @param lockMore - locks the further images that the same operation worked on
 * @throws VmStatesError `IMAGE_IN_USE`; `IMAGE_CHANGED` if somebody has gone on with what the operation had made
 */
export async function recoverSwap(
  images: readonly string[],
  lockMore: (files: readonly string[], work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  for (const image of images) {
    const journal = await readJournal(image)
    if (journal === undefined) continue
    const others = journal.images.filter((file) => !images.includes(file))
    await lockMore(others, async () => {
      await requireUntouched(journal)
      await undo(journal)
      for (const other of others) await removeHelpers(other)
    })
  }
  for (const image of images) await removeHelpers(image)
}

/** What was written since the operation was killed would go with what it has put there. */
async function requireUntouched({ file, entries }: Journal): Promise<void> {
  const killedAt = (await statsOf(file))?.mtimeMs ?? Number.POSITIVE_INFINITY
  for (const { path, backup } of entries) {
    if (backup === undefined) continue
    const [now, before] = await Promise.all([statsOf(path), statsOf(backup)])
    // Nothing is put back there: it was not changed yet, or is given back already.
    if (now === undefined || before === undefined || now.ino === before.ino) continue
    await refuseRunning([path])
    if (now.mtimeMs <= killedAt) continue
    throw new VmStatesError(
      'IMAGE_CHANGED',
      `${path} was written to after a command on it had been killed, which is to be undone`,
      {
        hint: `To keep what it holds, remove ${file}. To undo the command all the same, and lose that: touch --date=@0 ${path}`,
      },
    )
  }
}

async function statsOf(path: string): Promise<Stats | undefined> {
  return await stat(path).catch(() => undefined)
}

/** Gives every name the file back that it stood for. It may be done again, from any point. */
export async function undo(journal: Journal): Promise<void> {
  for (const entry of journal.entries) await giveBack(entry)
  await removeJournal(journal)
}

async function giveBack({ path, backup }: JournalEntry): Promise<void> {
  if (backup === undefined) {
    await rm(path, { force: true })
    return
  }
  const [now, before] = await Promise.all([inode(path), inode(backup)])
  if (before === undefined) return
  // Between two names of one file, rename does nothing and leaves both.
  if (now === before) await rm(backup)
  else await rename(backup, path)
}

async function inode(path: string): Promise<bigint | undefined> {
  return stat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => undefined,
  )
}

async function removeHelpers(image: string): Promise<void> {
  const folder = dirname(image)
  for (const name of await readdir(folder)) {
    if (name.startsWith(helperPrefix(image))) await rm(join(folder, name), { force: true })
  }
}
