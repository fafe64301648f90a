import type { ClientChannel } from 'ssh2'
import { isVmStatesError } from '../../params/errors.js'
import { type Patience, withDeadline } from '../../qemu/deadline.js'
import { newNonce } from '../../store/names.js'
import type { AgentCallOptions } from '../agent/client.js'
import { CallsUnderWay } from '../channel/calls-under-way.js'
import type { Channel, Program, RunningProgram, StartOptions } from '../channel/channel.js'
import { catError } from '../files/cat-error.js'
import type { GuestError } from '../guest-error.js'
import { followProgram } from './follow-program.js'
import { KeptOutput } from './output.js'
import { killCommand, remoteCommand } from './remote-command.js'
import type { SshLink } from './ssh-link.js'

/** What a command prints is nobody's. @returns waits for its end */
function untilClosed(channel: ClientChannel): () => Promise<void> {
  const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()))
  channel.on('error', () => {})
  channel.resume()
  channel.stderr.resume()
  channel.end()
  return () => closed
}

/** The way to a guest over ssh. Connections are the link's, which outlives it. */
export class SshChannel implements Channel {
  readonly agent = undefined
  /** It takes a command of its own. */
  readonly killTimeout = 5000
  readonly #link: SshLink
  #hasAnswered = false
  readonly #calls = new CallsUnderWay()

  constructor(link: SshLink) {
    this.#link = link
  }

  get answered(): boolean {
    return this.#hasAnswered
  }

  async connect(options: AgentCallOptions = {}): Promise<void> {
    await this.#calls.begin(() => this.#link.connect(options))
    this.#hasAnswered = true
  }

  start(program: Program, { signal }: StartOptions = {}): Promise<RunningProgram> {
    return this.#start(program, { signal })
  }

  async readFile(path: string, options: AgentCallOptions = {}): Promise<Buffer> {
    const stdout = new KeptOutput(Number.POSITIVE_INFINITY)
    const program = { path: 'cat', arg: ['--', path], stdout }
    const started = this.#start(program, options)
    let hasBegun = false
    const ended = started.then((running) => {
      hasBegun = true
      return running.ended
    })
    try {
      const status = await withDeadline(ended, `reading ${path}`, options)
      if (status.exitCode === 0) return stdout.bytes
      throw catError(path, status)
    } catch (error) {
      const isLate = isVmStatesError(error, 'TIMEOUT')
      if (isLate || isVmStatesError(error, 'ABORTED')) {
        started.then(({ kill }) => kill()).catch(() => {})
      }
      // A connection that is kept may lead to a guest that does not answer any more.
      if (isLate && !hasBegun) throw this.missing(options.timeout ?? 0)
      throw error
    }
  }

  missing(timeout: number): GuestError {
    return this.#link.missing(timeout)
  }

  close(reason: () => GuestError): void {
    this.#calls.close(reason)
  }

  async #start(program: Program, patience: Patience): Promise<RunningProgram> {
    const mark = newNonce()
    const { path, arg, input } = program
    const { command, firstLine } = remoteCommand({ path, arg, hasInput: input !== undefined }, mark)
    const { closed } = this.#calls
    const { begun, ended } = await this.#calls.begin(() =>
      this.#link.run(
        command,
        (channel, whyLost) =>
          followProgram(channel, {
            ...{ program, mark, firstLine },
            lost: () => this.#link.lost(whyLost()),
          }),
        {
          ...patience,
          signal: AbortSignal.any([closed, ...(patience.signal ? [patience.signal] : [])]),
        },
      ),
    )
    this.#hasAnswered = true
    const all = this.#calls.begin(() => ended)
    all.catch(() => {}) // whoever awaits it hears of it; no one may be left to
    const kill = async () => {
      const command = killCommand(await begun)
      await this.#calls.begin(() => this.#link.run(command, untilClosed)).then((closed) => closed())
    }
    return { ended: all, kill }
  }
}
