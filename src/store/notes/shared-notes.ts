import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../files/storage-error.js'
import { newNonce } from '../names.js'
import { type Notes, OwnNotes } from './notes.js'

/**
 * Facts that processes tell each other, as files of a directory: each is complete when it can be read,
 * and of several that add one of the same name, one has done it. What cannot be written is not told:
 * the directory may be deleted at any time.
 */
export class SharedNotes implements Notes {
  readonly #directory: string
  /** What could not be written. */
  readonly #untold = new OwnNotes()

  /** @param directory - made when it is needed, in one that is there */
  constructor(directory: string) {
    this.#directory = directory
  }

  read(name: string): unknown {
    try {
      return JSON.parse(readFileSync(this.#file(name), 'utf8'))
    } catch {
      return this.#untold.read(name)
    }
  }

  add(name: string, fact: object): boolean {
    const outcome = this.#write(fact, (unfinished) => linkSync(unfinished, this.#file(name)))
    return outcome === 'untold' ? this.#untold.add(name, fact) : outcome === 'written'
  }

  write(name: string, fact: object): void {
    const outcome = this.#write(fact, (unfinished) => renameSync(unfinished, this.#file(name)))
    if (outcome === 'untold') this.#untold.write(name, fact)
    else this.#untold.remove(name)
  }

  remove(name: string): void {
    this.#untold.remove(name)
    rmSync(this.#file(name), { force: true })
  }

  #file(name: string): string {
    return join(this.#directory, `${name}.json`)
  }

  #write(fact: object, giveName: (unfinished: string) => void): 'written' | 'taken' | 'untold' {
    const unfinished = join(this.#directory, `.tmp-${newNonce()}`)
    const text = JSON.stringify(fact)
    this.#makeDirectory()
    try {
      writeFileSync(unfinished, text, { mode: 0o600 })
      giveName(unfinished)
    } catch (error) {
      return systemCode(error) === 'EEXIST' ? 'taken' : 'untold'
    } finally {
      rmSync(unfinished, { force: true })
    }
    return 'written'
  }

  /** Not the one above it: a run that has ended is not to come back. */
  #makeDirectory(): void {
    try {
      mkdirSync(this.#directory, { mode: 0o700 })
    } catch {
      // It is there, or nothing can be told.
    }
  }
}
