import { link, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileError } from '../../qemu/file-error.js'
import { syncPath } from '../../store/files/sync-path.js'
import { newNonce } from '../../store/names.js'
import {
  helperFile,
  type JournalEntry,
  journalFile,
  removeJournal,
  writeJournal,
} from './journal.js'
import { undo } from './recover.js'

/** A name that gets another file, or goes. */
export interface Change {
  /** The image that it belongs to, and is beside of. */
  image: string
  path: string
  /** A file in the same folder, which loses its own name; undefined where `path` is removed. */
  replacement?: string
}

/**
 * Changes what several names stand for, all or none: also if the process is killed in between, once
 * the next operation on one of the images has called `recoverSwap`. The images must be locked.
 *
 * @param images - those that the names belong to
 * @throws VmStatesError `ACCESS_DENIED`, `DISK_FULL`; nothing has changed then
 */
export async function swapFiles(
  images: readonly string[],
  changes: readonly Change[],
): Promise<void> {
  const [first] = images
  if (first === undefined) return
  if (changes.length === 1) {
    for (const change of changes) await apply(change)
    return
  }
  const entries: JournalEntry[] = []
  const journal = { file: journalFile(first), images, entries }
  try {
    for (const change of changes) entries.push(await backUp(change))
    await writeJournal(journal)
    for (const change of changes) await apply(change)
    for (const folder of new Set(changes.map(({ path }) => dirname(path)))) await syncPath(folder)
  } catch (error) {
    await undo(journal)
    throw fileError(error, first)
  }
  await removeJournal(journal)
  await Promise.all(entries.map(({ backup }) => backup && rm(backup, { force: true })))
}

async function apply({ path, replacement }: Change): Promise<void> {
  try {
    if (replacement === undefined) await unlink(path)
    else await rename(replacement, path)
  } catch (error) {
    throw fileError(error, path)
  }
}

async function backUp({ image, path }: Change): Promise<JournalEntry> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  if (!exists) return { path }
  const backup = helperFile(image, `backup-${newNonce()}`)
  await link(path, backup)
  return { path, backup }
}

/** Removes replacements that have not taken their place. */
export async function dropStaged(changes: readonly Change[]): Promise<void> {
  await Promise.all(
    changes.map(({ replacement }) => replacement && rm(replacement, { force: true })),
  )
}
