import { readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { systemCode } from '../files/storage-error.js'
import { newNonce } from '../names.js'
import { type PidScope, whoAmI } from './host.js'
import type { ProcessIdentity } from './process-status.js'

/** Who holds a lock. */
export interface OwnerRecord extends ProcessIdentity, PidScope {
  /** One for each time that a lock is taken; never used again. */
  nonce: string
  /** The program, for people. */
  program: string
}

/** This program, as an error names it: Vitest's workers say by their title what they are. */
export function programName(): string {
  const isPlain = basename(process.title) === 'node'
  return isPlain ? basename(process.argv[1] ?? 'node') : process.title
}

/** The record of a lock that this thread is about to take. */
export function newOwnerRecord(): OwnerRecord {
  const { self, scope } = whoAmI()
  return { nonce: newNonce(), ...self, ...scope, program: programName() }
}

/** An owner as an error names it. */
export function describeOwner({ pid, program }: OwnerRecord): string {
  return `process ${pid} (${program})`
}

function isOwnerRecord(value: unknown): value is OwnerRecord {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Record<string, unknown>
  return (
    typeof record.nonce === 'string' &&
    typeof record.pid === 'number' &&
    typeof record.thread === 'number' &&
    typeof record.startTime === 'string' &&
    typeof record.boot === 'string'
  )
}

/**
 * Reads the record of a lock. It is the target of a symbolic link: the one thing that is made with
 * all of its content, refuses a name that is taken, and needs no file beside it to do so.
 *
 * @returns undefined if nobody holds the lock
 * @throws VmStatesError `STORE_DAMAGED` if something else is in the place of the record
 */
export async function readOwner(path: string): Promise<OwnerRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readlink(path))
    if (isOwnerRecord(record)) return record
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    if (!(error instanceof SyntaxError) && systemCode(error) !== 'EINVAL') throw error
  }
  throw new VmStatesError('STORE_DAMAGED', `${path} is not the record of a lock's owner`, {
    hint: 'Remove it when no other process uses the store.',
  })
}
