import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newNonce } from '../../store/names.js'
import { BuildError, type BuildFailure } from './build-error.js'

/** A failure as other processes are told of it. */
interface Told {
  failure: BuildFailure
  cause?: { name: string; message: string; stack: string | undefined }
}

/**
 * The builds that failed and are not to be tried again: in one process, or in all processes of a run,
 * which tell each other by files.
 */
export class FailedBuilds {
  readonly #directory: string | undefined
  readonly #known = new Map<string, BuildError>()

  /** @param directory - where processes of one run tell each other; without one, nobody is told */
  constructor(directory?: string) {
    this.#directory = directory
  }

  /** Tells of a failure. What cannot be told costs another try, not more. */
  add(error: BuildError): void {
    const { key } = error.failure
    if (this.#directory === undefined) this.#known.set(key, error)
    else tell(this.#directory, key, error)
  }

  /** The failure of a key, if it failed. */
  find(key: string): BuildError | undefined {
    if (this.#directory === undefined) return this.#known.get(key)
    try {
      const { failure, cause }: Told = JSON.parse(readFileSync(join(this.#directory, key), 'utf8'))
      return new BuildError(failure, { cause: cause && Object.assign(new Error(), cause) })
    } catch {
      return undefined
    }
  }

  /** Lets a key be tried again. */
  forget(key: string): void {
    this.#known.delete(key)
    if (this.#directory !== undefined) rmSync(join(this.#directory, key), { force: true })
  }
}

function tell(directory: string, key: string, { failure, cause }: BuildError): void {
  const told: Told = { failure }
  if (cause instanceof Error) {
    told.cause = { name: cause.name, message: cause.message, stack: cause.stack }
  }
  const unfinished = join(directory, `.tmp-${newNonce()}`)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    writeFileSync(unfinished, JSON.stringify(told), { mode: 0o600 })
    renameSync(unfinished, join(directory, key))
  } catch {
    // Someone deleted the run's directory, or the disk is full.
  }
}
