import { unlink } from 'node:fs/promises'
import { unlessMissing } from '../files/storage-error.js'

/** The right to use some of what the host has, until it is released or this process is gone. */
export class Admission implements AsyncDisposable {
  readonly id: string
  readonly units: number
  readonly machines: number
  readonly #path: string

  constructor(path: string, entry: { id: string; units: number; machines: number }) {
    this.id = entry.id
    this.units = entry.units
    this.machines = entry.machines
    this.#path = path
  }

  /** Gives it back, for the next in line. */
  async release(): Promise<void> {
    await unlessMissing(unlink(this.#path))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}
