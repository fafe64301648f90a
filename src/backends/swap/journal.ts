import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { syncPath } from '../../store/files/sync-path.js'

/** A name whose file changes, and how to get back what it stood for. */
export interface JournalEntry {
  path: string
  /** A second name of the file that was there; undefined where none was. */
  backup?: string
}

/** Changes that are under way: while there is a journal, they are undone by whoever finds it. */
export interface Journal {
  /** Where it is, beside the first of the images. */
  file: string
  images: readonly string[]
  entries: readonly JournalEntry[]
}

/** What is written: paths are relative to the journal, so that a folder can be moved as a whole. */
type Written =
  | { images: string[]; entries: JournalEntry[] }
  /** Beside every further image. */
  | { seeJournal: string }

/** What the names of an image's short-lived files start with. */
export function helperPrefix(image: string): string {
  return `.${basename(image)}.states-`
}

/** The path of a short-lived file beside an image. */
export function helperFile(image: string, suffix: string): string {
  return join(dirname(image), `${helperPrefix(image)}${suffix}`)
}

/** Where an image's journal is, or what leads to it. */
export function journalFile(image: string): string {
  return helperFile(image, 'journal')
}

/** Writes a journal; what leads to it from the other images first. */
export async function writeJournal({ file, images, entries }: Journal): Promise<void> {
  const from = (path: string): string => relative(dirname(file), path)
  for (const image of images.slice(1)) {
    await write(journalFile(image), { seeJournal: relative(dirname(image), file) })
  }
  await write(file, {
    images: images.map(from),
    entries: entries.map(({ path, backup }) => ({
      path: from(path),
      ...(backup === undefined ? {} : { backup: from(backup) }),
    })),
  })
}

/** Under a name that whoever comes next removes if this process dies. */
async function write(file: string, content: Written): Promise<void> {
  const unfinished = `${file}-unfinished`
  await writeFile(unfinished, JSON.stringify(content))
  await syncPath(unfinished)
  await rename(unfinished, file)
  await syncPath(dirname(file))
}

/** The journal that an image is part of; undefined if no change is under way. */
export async function readJournal(image: string): Promise<Journal | undefined> {
  const file = journalFile(image)
  const content = await read(file)
  if (content === undefined) return undefined
  if ('seeJournal' in content) {
    const main = resolve(dirname(file), content.seeJournal)
    return toJournal(main, await read(main))
  }
  return toJournal(file, content)
}

function toJournal(file: string, content: Written | undefined): Journal | undefined {
  if (content === undefined || 'seeJournal' in content) return undefined
  const at = (path: string): string => resolve(dirname(file), path)
  return {
    file,
    images: content.images.map(at),
    entries: content.entries.map(({ path, backup }) => ({
      path: at(path),
      ...(backup === undefined ? {} : { backup: at(backup) }),
    })),
  }
}

async function read(file: string): Promise<Written | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Written
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Ends the changes of a journal: from here on they are done, or undone, and stay so. */
export async function removeJournal({ file, images }: Journal): Promise<void> {
  await rm(file, { force: true })
  await syncPath(dirname(file))
  await Promise.all(images.slice(1).map((image) => rm(journalFile(image), { force: true })))
}
