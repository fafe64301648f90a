import { isCommandError } from '../../guest/exec/command-error.js'
import type { CommandResult } from '../../guest/exec/result.js'
import { isVmStatesError } from '../../params/errors.js'
import { cleanConsole } from '../../qemu/machine/clean-console.js'
import { indent } from './indent.js'

/** Characters kept of each output of a command: of its beginning and of its end. */
const KEPT = { first: 16 * 1024, last: 48 * 1024 }

/** A command of a setup, as the build log tells it: when it began, what it printed, how it ended. */
export class CommandEntry {
  readonly #command: string
  #output = ''
  #ending = 'had not ended when the setup did'

  /** @param command - as a person would type it */
  constructor(command: string, result: Promise<CommandResult<string | Buffer>>) {
    this.#command = command
    result.then(
      (done) => this.#end(done),
      (error: unknown) => {
        if (isCommandError(error)) this.#end(error)
        // The handle is taken from the setup before the log is written.
        else if (!isVmStatesError(error, 'GUEST_RELEASED'))
          this.#ending = error instanceof Error ? firstLine(error.message) : String(error)
      },
    )
  }

  /** Characters that its output takes. */
  get size(): number {
    return this.#output.length
  }

  /** Lets go of what it printed. */
  dropOutput(): void {
    if (this.#output !== '') this.#output = '[left out: later commands have printed too much]'
  }

  toString(): string {
    const output = this.#output === '' ? [] : [indent(this.#output)]
    return [`$ ${this.#command}`, ...output, `  ${this.#ending}`].join('\n')
  }

  #end({ stdout, stderr, exitCode, signal, duration }: CommandResult<string | Buffer>): void {
    const said = bounded(cleanConsole(stdout.toString()))
    const complained = bounded(cleanConsole(stderr.toString()))
    this.#output = [said, complained && `stderr: ${complained}`].filter(Boolean).join('\n')
    const how =
      signal !== undefined
        ? `ended by ${signal}`
        : exitCode === undefined
          ? 'stopped'
          : `exit code ${exitCode}`
    this.#ending = `${how} after ${(duration / 1000).toFixed(1)} s`
  }
}

function bounded(text: string): string {
  const left = text.length - KEPT.first - KEPT.last
  if (left <= 0) return text
  return `${text.slice(0, KEPT.first)}\n[${left} characters left out]\n${text.slice(-KEPT.last)}`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
