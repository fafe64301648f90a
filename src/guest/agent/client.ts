import { randomInt } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { GuestError } from '../guest-error.js'
import { type Answer, answerReader } from './answers.js'
import type { AgentCommand, AgentCommands } from './commands.js'
import { missingAgentError } from './missing.js'
import { AgentRefusal } from './refusal.js'

const DEFAULT_TIMEOUT = 30_000
const FIRST_SYNC_INTERVAL = 250
const LONGEST_SYNC_INTERVAL = 4000

/** How long to wait for the agent. */
export interface AgentCallOptions {
  /** Milliseconds of silence until the call fails; other answers on the channel count as signs of life. */
  timeout?: number
  /** Cancels a command that waits for its turn; one that was sent is waited for. */
  signal?: AbortSignal
}

interface Call {
  command: AgentCommand | 'guest-sync-delimited'
  text: string | undefined
  timer: NodeJS.Timeout
  settle(error: Error | undefined, value?: unknown): void
}

/**
 * Talks to one QEMU guest agent. The protocol has no ids and the agent serves one command at a time,
 * so calls wait in a queue; whenever the channel's content is in doubt (at the start, after a
 * silence), `guest-sync-delimited` with a fresh id finds the place where answers are ours again.
 * Nothing is sent before the first call. See QEMU's "QEMU Guest Agent Protocol Reference".
 */
export class AgentClient {
  readonly #channel: Duplex
  readonly #queue: Call[] = []
  #current: Call | undefined
  #syncId: number | undefined
  #syncTimer: NodeJS.Timeout | undefined
  #synced = false
  #everAnswered = false
  #listening = false
  #closed: (() => GuestError) | undefined

  readonly #onData: (bytes: Buffer) => void

  /**
   * @param channel - the host end of the agent's virtio-serial port; it stays the caller's, who
   *   closes it
   */
  constructor(channel: Duplex) {
    this.#channel = channel
    const read = answerReader((answer) => this.#receive(answer))
    this.#onData = (bytes) => {
      if (this.#synced) this.#refreshTimers()
      read(bytes)
    }
  }

  /**
   * Runs one agent command.
   *
   * @throws GuestError `GUEST_AGENT_MISSING` or `GUEST_AGENT_SILENT` if the agent does not answer,
   *   `GUEST_AGENT_REFUSED` ({@link AgentRefusal}) if it answers with an error, or the error that
   *   the client was closed with
   */
  execute<Command extends AgentCommand>(
    command: Command,
    args: AgentCommands[Command]['arguments'],
    options: AgentCallOptions = {},
  ): Promise<AgentCommands[Command]['answer']> {
    const text = `${JSON.stringify({ execute: command, arguments: args })}\n`
    return this.#enqueue(command, text, options) as Promise<AgentCommands[Command]['answer']>
  }

  /** Waits until the agent answers. */
  async synchronize(options: AgentCallOptions = {}): Promise<void> {
    this.#loseSync()
    await this.#enqueue('guest-sync-delimited', undefined, options)
  }

  /** Whether the agent has ever answered. */
  get answered(): boolean {
    return this.#everAnswered
  }

  /**
   * Ends every call, now and later, and lets go of the channel.
   *
   * @param reason - makes the error for one call
   */
  close(reason: () => GuestError): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#channel.off('data', this.#onData)
    this.#stopSync()
    this.#current?.settle(reason())
    for (const call of this.#queue.splice(0)) call.settle(reason())
  }

  #enqueue(
    command: Call['command'],
    text: string | undefined,
    { timeout = DEFAULT_TIMEOUT, signal }: AgentCallOptions,
  ): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed())
    if (signal?.aborted) return Promise.reject(abortError(command, signal))
    if (!this.#listening) {
      this.#listening = true
      this.#channel.on('data', this.#onData)
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (this.#current !== call && signal !== undefined) {
          this.#drop(call, abortError(command, signal))
        }
      }
      const call: Call = {
        command,
        text,
        timer: setTimeout(() => this.#expire(call, timeout), timeout),
        settle: (error, value) => {
          clearTimeout(call.timer)
          signal?.removeEventListener('abort', onAbort)
          if (error === undefined) resolve(value)
          else reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(call)
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#current !== undefined || this.#queue.length === 0) return
    if (!this.#synced) {
      if (this.#syncTimer === undefined) this.#sendSync(FIRST_SYNC_INTERVAL)
      return
    }
    const call = this.#queue.shift() as Call
    if (call.text === undefined) {
      call.settle(undefined)
      this.#pump()
      return
    }
    this.#current = call
    call.timer.refresh()
    this.#channel.write(call.text)
  }

  /**
   * Asks the agent for a sign, again and again until it gives one: what is sent while the guest boots
   * may wait in the channel or be lost. Each request has an id of its own; only the answer to the
   * last one counts, since then no older answer can follow.
   */
  #sendSync(interval: number): void {
    this.#syncTimer = undefined
    if (this.#queue.length === 0) return
    this.#syncId = randomInt(1, 2 ** 47)
    const request = { execute: 'guest-sync-delimited', arguments: { id: this.#syncId } }
    // The agent's parser drops what it holds of a broken request when it meets 0xFF.
    this.#channel.write(Buffer.from([0xff]))
    this.#channel.write(`${JSON.stringify(request)}\n`)
    const next = Math.min(interval * 2, LONGEST_SYNC_INTERVAL)
    this.#syncTimer = setTimeout(() => this.#sendSync(next), interval)
  }

  #receive({ value, delimited }: Answer): void {
    if (this.#closed !== undefined) return
    if (!this.#synced) {
      if (!delimited || this.#syncId === undefined) return
      if ((value as { return?: unknown } | undefined)?.return !== this.#syncId) return
      this.#stopSync()
      this.#synced = true
      this.#everAnswered = true
      this.#pump()
      return
    }
    const call = this.#current
    this.#current = undefined
    if (call === undefined) {
      this.#loseSync()
      return
    }
    const answer = value as { return?: unknown; error?: { desc?: string } } | undefined
    if (answer?.error !== undefined) {
      call.settle(new AgentRefusal(call.command, String(answer.error.desc)))
    } else if (answer !== undefined && 'return' in answer) {
      call.settle(undefined, answer.return)
    } else {
      this.#loseSync()
      call.settle(new AgentRefusal(call.command, 'its answer is not readable'))
    }
    this.#pump()
  }

  #expire(call: Call, timeout: number): void {
    this.#drop(
      call,
      this.#everAnswered
        ? new GuestError(
            'GUEST_AGENT_SILENT',
            `the guest agent stopped answering: no sign for ${timeout} ms (${call.command})`,
            { hint: 'the guest may be overloaded, stopped or have crashed: see its console' },
          )
        : missingAgentError(timeout),
    )
  }

  #drop(call: Call, error: Error): void {
    if (this.#current === call) {
      this.#current = undefined
      this.#loseSync()
    } else {
      const index = this.#queue.indexOf(call)
      if (index >= 0) this.#queue.splice(index, 1)
    }
    if (this.#queue.length === 0) this.#stopSync()
    call.settle(error)
    this.#pump()
  }

  #refreshTimers(): void {
    this.#current?.timer.refresh()
    for (const call of this.#queue) call.timer.refresh()
  }

  #loseSync(): void {
    this.#synced = false
  }

  #stopSync(): void {
    clearTimeout(this.#syncTimer)
    this.#syncTimer = undefined
    this.#syncId = undefined
  }
}

function abortError(command: string, signal: AbortSignal): GuestError {
  return new GuestError('ABORTED', `${command} was cancelled`, { cause: signal.reason })
}
