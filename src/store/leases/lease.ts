import { rm } from 'node:fs/promises'
import { parseFields } from '../files/parse-json.js'

/** How long a lease lasts at most: as long as a process, a run, or a file outside the store. */
export type LeaseLife =
  | { kind: 'process'; name: string; program: string }
  | { kind: 'run'; id: string }
  | { kind: 'file'; path: string }

/** The right to find an object where it is, until it is released. */
export class Lease implements AsyncDisposable {
  readonly objectId: string
  readonly #file: string

  constructor(objectId: string, file: string) {
    this.objectId = objectId
    this.#file = file
  }

  /** Gives the lease back. */
  async release(): Promise<void> {
    await rm(this.#file, { force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}

/** Who holds a lease, for an error. */
export function describeLife(life: LeaseLife): string {
  if (life.kind === 'process') return `it is in use by a process (${life.program})`
  if (life.kind === 'run') return `it is in use by the run ${life.id}`
  return `${life.path} stands on it`
}

/** Parses the file of a lease; undefined if it is not one. */
export function parseLife(text: string): LeaseLife | undefined {
  const { kind, name, program, id, path } = parseFields(text)
  if (kind === 'process' && typeof name === 'string' && typeof program === 'string') {
    return { kind, name, program }
  }
  if (kind === 'run' && typeof id === 'string') return { kind, id }
  if (kind === 'file' && typeof path === 'string') return { kind, path }
  return undefined
}
