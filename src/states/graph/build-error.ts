import { VmStatesError } from '../../params/errors.js'
import type { BuildStep } from './progress.js'

/** What a {@link BuildError} says, without what is told of it by others. */
export interface BuildFailure {
  /** The state whose own build failed, as people call it: `debian/nginx`. */
  state: string
  /** The key of that state. */
  key: string
  /** Where it failed. */
  step: BuildStep
  /** One line: the step and why. */
  reason: string
  /** The end of the log, and where all of it is. */
  hint: string
  /** Absolute path of the whole log, if it could be kept. */
  log?: string | undefined
  /** Absolute paths of pictures of the machines' displays. */
  screens?: readonly string[]
}

/** A state that could not be built, or that stands on one that could not. */
export class BuildError extends VmStatesError {
  override readonly name = 'BuildError'
  readonly failure: BuildFailure

  /** @param name - the state that was asked for, if it is another than the one that failed */
  constructor(failure: BuildFailure, details: { cause?: unknown; name?: string | undefined } = {}) {
    const { state, reason, hint } = failure
    const failed = `${state} could not be built: ${reason}`
    const { name = state, cause } = details
    const message = name === state ? failed : `${name} could not be built, since ${failed}`
    super('BUILD_FAILED', message, { hint, cause })
    // Where it was made says nothing; where the setup failed is in the cause.
    this.stack = `${this.name}: ${this.message}`
    this.failure = failure
    // Vitest prints what is enumerable after the message, which says it all.
    for (const name of ['failure', 'hint']) Object.defineProperty(this, name, { enumerable: false })
  }

  /** The error of a state that stands on the one that failed. */
  for(name: string): BuildError {
    return new BuildError(this.failure, { name, cause: this.cause })
  }
}
