import { isCommandError } from '../../guest/exec/command-error.js'
import type { CommandResult } from '../../guest/exec/result.js'
import { isVmStatesError } from '../../params/errors.js'
import { cleanConsole } from '../../qemu/machine/clean-console.js'
import { indent } from './indent.js'

/** Kept of each output of a command: of its beginning and of its end. */
const KEPT = { first: 16 * 1024, last: 48 * 1024 }

/** A command of a setup or a test, as logs tell it: what it printed, how it ended. */
export class CommandEntry {
  readonly #command: string
  #stdout = ''
  #stderr = ''
  #isDropped = false
  #ending = 'had not ended by then'

  /**
   * @param command - as a person would type it
   * @param onEnd - called when it has ended
   */
  constructor(
    command: string,
    result: Promise<CommandResult<string | Buffer>>,
    onEnd: () => void = () => {},
  ) {
    this.#command = command
    result
      .then(
        (done) => this.#end(done),
        (error: unknown) => {
          if (isCommandError(error)) this.#end(error)
          // The handle is taken from a setup or a test before its log is written.
          else if (!isVmStatesError(error, 'GUEST_RELEASED'))
            this.#ending = error instanceof Error ? firstLine(error.message) : String(error)
        },
      )
      .then(onEnd)
  }

  /** Characters that it takes, about. */
  get size(): number {
    return this.#command.length + this.#stdout.length + this.#stderr.length
  }

  /** Lets go of what it printed. */
  dropOutput(): void {
    this.#isDropped = this.#stdout !== '' || this.#stderr !== ''
    this.#stdout = ''
    this.#stderr = ''
  }

  toString(): string {
    const output = this.#isDropped
      ? '[left out: later commands have printed too much]'
      : this.#output()
    return [`$ ${this.#command}`, ...(output ? [indent(output)] : []), `  ${this.#ending}`].join(
      '\n',
    )
  }

  #output(): string {
    const complaint = cleanConsole(this.#stderr)
    return [cleanConsole(this.#stdout), complaint && `stderr: ${complaint}`]
      .filter(Boolean)
      .join('\n')
  }

  /** Cheap, since most logs are never written: what is printed is made readable only then. */
  #end({ stdout, stderr, exitCode, signal, duration }: CommandResult<string | Buffer>): void {
    this.#stdout = bounded(stdout)
    this.#stderr = bounded(stderr)
    const how =
      signal !== undefined
        ? `ended by ${signal}`
        : exitCode === undefined
          ? 'stopped'
          : `exit code ${exitCode}`
    this.#ending = `${how} after ${(duration / 1000).toFixed(1)} s`
  }
}

/** A part of a long text is copied: V8 would keep all of it in memory for a slice. */
function bounded(output: string | Buffer): string {
  const left = output.length - KEPT.first - KEPT.last
  if (left <= 0) return output.toString()
  const first = Buffer.from(output.slice(0, KEPT.first) as string).toString()
  const last = Buffer.from(output.slice(-KEPT.last) as string).toString()
  return `${first}\n[${left} characters left out]\n${last}`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
