import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

const PAGE = 4096
/** Bytes of a page's entry in a pagemap; the last of them has these flags. See proc_pid_pagemap(5). */
const ENTRY = 8
const PRESENT = 0x80
const SWAPPED = 0x40
const OF_FILE = 0x20
/** Bytes of a pagemap that are read at once, for 512 MiB of memory. */
const ENTRIES_AT_ONCE = 2 ** 20
/** Bytes that are copied at once; others of this process have their turn then. */
const COPIED_AT_ONCE = 4 * 2 ** 20

/** Pages that follow each other, in bytes from the start of the mapping that they are of. */
interface Run {
  offset: number
  length: number
}

/**
 * Undoes what a process has written to a file that it has mapped privately: it sees the file's content
 * again. The pages stay its own; their memory is there again when it ends.
 *
 * @param pid - a child of this process, which must not write meanwhile
 * @param file - path of what it has mapped, as a whole
 * @param most - bytes
 * @returns whether it is done; false where more than `most` was written, and nothing was undone
 * @throws Error if the process is gone, has no such mapping, or may not be written to
 */
export async function undoPrivateChanges(
  pid: number,
  file: string,
  most: number,
): Promise<boolean> {
  const mapping = await mappingOf(pid, file)
  const runs = await changedRuns(pid, mapping)
  if (runs.reduce((sum, { length }) => sum + length, 0) > most) return false
  const from = openSync(file, 'r')
  const memory = openSync(`/proc/${pid}/mem`, 'r+')
  try {
    const buffer = Buffer.allocUnsafe(COPIED_AT_ONCE)
    let copied = 0
    for (const { offset, length } of runs) {
      const read = readSync(from, buffer, 0, length, offset)
      const written = writeSync(memory, buffer, 0, length, mapping.offset + offset)
      // Half a page of one and half of the other would be a guest that breaks later.
      if (Math.min(read, written) < length) throw new Error(`process ${pid} took only a part`)
      copied += length
      if (copied < COPIED_AT_ONCE) continue
      copied = 0
      await setImmediate()
    }
  } finally {
    closeSync(from)
    closeSync(memory)
  }
  return true
}

/** Where a file is mapped, as a whole. A path would be that of before it was moved. */
async function mappingOf(pid: number, file: string): Promise<Run> {
  const { ino, size } = await stat(file)
  const lines = (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n')
  for (const line of lines) {
    const [range = '', flags, offset, , inode] = line.split(/ +/)
    const [start = 0, end = 0] = range.split('-').map((text) => Number.parseInt(text, 16))
    const isWhole = Number(offset) === 0 && end - start === size
    if (flags === 'rw-p' && Number(inode) === ino && isWhole) return { offset: start, length: size }
  }
  throw new Error(`process ${pid} has not mapped ${file} privately, as a whole`)
}

/** Pages of a mapping that are no longer the file's. */
async function changedRuns(pid: number, { offset: start, length }: Run): Promise<Run[]> {
  await using pagemap = await open(`/proc/${pid}/pagemap`)
  const entries = Buffer.allocUnsafe(ENTRIES_AT_ONCE)
  const runs: Run[] = []
  let last: Run | undefined
  for (let offset = 0; offset < length; ) {
    const position = ((start + offset) / PAGE) * ENTRY
    const wanted = Math.min(entries.length, ((length - offset) / PAGE) * ENTRY)
    const { bytesRead } = await pagemap.read(entries, 0, wanted, position)
    if (bytesRead === 0) throw new Error(`the pagemap of process ${pid} ends early`)
    for (let flags = ENTRY - 1; flags < bytesRead; flags += ENTRY, offset += PAGE) {
      if (!isOwn(entries[flags] as number)) last = undefined
      else if (last === undefined || last.length === COPIED_AT_ONCE) {
        last = { offset, length: PAGE }
        runs.push(last)
      } else last.length += PAGE
    }
  }
  return runs
}

function isOwn(flags: number): boolean {
  return (flags & SWAPPED) !== 0 || (flags & (PRESENT | OF_FILE)) === PRESENT
}
