import { type Notes, OwnNotes } from '../../store/notes/notes.js'
import { BuildError, type BuildFailure } from './build-error.js'

/** A failure as it is written down. */
interface Told {
  failure: BuildFailure
  cause?: { name: string; message: string; stack: string | undefined }
}

/** The builds that failed and are not to be tried again, by key. */
export class FailedBuilds {
  readonly #notes: Notes

  /** @param notes - where they are written down; they are forgotten with this object by default */
  constructor(notes: Notes = new OwnNotes()) {
    this.#notes = notes
  }

  /** Tells of a failure. What cannot be told costs another try, not more. */
  add({ failure, cause }: BuildError): void {
    const told: Told = { failure }
    if (cause instanceof Error) {
      told.cause = { name: cause.name, message: cause.message, stack: cause.stack }
    }
    this.#notes.write(failure.key, told)
  }

  /** The failure of a key, if it failed. */
  find(key: string): BuildError | undefined {
    const told = this.#notes.read(key) as Told | undefined
    if (told === undefined) return undefined
    const { failure, cause } = told
    return new BuildError(failure, { cause: cause && Object.assign(new Error(), cause) })
  }

  /** Lets a key be tried again. */
  forget(key: string): void {
    this.#notes.remove(key)
  }
}
