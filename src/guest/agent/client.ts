import { randomInt } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { clearTimeout, setTimeout } from 'node:timers'
import { tracer } from '../../params/trace.js'
import { GuestError } from '../guest-error.js'
import { type Answer, answerReader } from './answers.js'
import type { AgentCommand, AgentCommands } from './commands.js'
import { AgentRefusal } from './refusal.js'
import { missingAgentError, restartedAgentError } from './silence.js'

const trace = tracer('agent')

/** Characters of a message that a trace shows. */
const TRACED = 500

const DEFAULT_TIMEOUT = 30_000
const FIRST_SYNC_INTERVAL = 250
const WRITE_SIZE = 64 * 2 ** 10
const LONGEST_SYNC_INTERVAL = 4000
/** Milliseconds of silence after a command until the agent is asked whether it still knows of it. */
const PROBE_AFTER = 2000

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
    if (this.#current === undefined) this.#loseSync()
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
    this.#send(call.text)
    this.#syncTimer = setTimeout(() => this.#sendSync(PROBE_AFTER), PROBE_AFTER)
  }

  /** Writes a request; that it gets through the channel, bit by bit, is a sign of life. */
  #send(text: string): void {
    if (trace.enabled) trace('-> %s', text.slice(0, TRACED).trim())
    const bytes = Buffer.from(text)
    for (let start = 0; start < bytes.length; start += WRITE_SIZE) {
      this.#channel.write(bytes.subarray(start, start + WRITE_SIZE), () => this.#refreshTimers())
    }
  }

  /**
   * Asks the agent for a sign, again and again until it gives one: what is sent while the guest boots
   * may wait in the channel or be lost. Each request has an id of its own; only the answer to the
   * last one counts, since then no older answer can follow. While a command is under way, an answer
   * to this instead means that the agent was restarted and lost the command.
   */
  #sendSync(interval: number): void {
    this.#syncTimer = undefined
    if (this.#current === undefined && this.#queue.length === 0) return
    this.#syncId = randomInt(1, 2 ** 47)
    const request = { execute: 'guest-sync-delimited', arguments: { id: this.#syncId } }
    // The agent's parser drops what it holds of a broken request when it meets 0xFF, and says so.
    if (!this.#synced) this.#channel.write(Buffer.from([0xff]))
    this.#channel.write(`${JSON.stringify(request)}\n`)
    const next = Math.min(interval * 2, LONGEST_SYNC_INTERVAL)
    this.#syncTimer = setTimeout(() => this.#sendSync(next), interval)
  }

  #receive({ value, delimited }: Answer): void {
    if (this.#closed !== undefined) return
    if (trace.enabled) trace('<- %s', JSON.stringify(value)?.slice(0, TRACED))
    const answer = value as { return?: unknown; error?: { desc?: string } } | undefined
    if (delimited) this.#receiveSync(answer?.return)
    else if (this.#synced) this.#receiveAnswer(answer)
  }

  #receiveSync(id: unknown): void {
    if (this.#syncId === undefined || id !== this.#syncId) return
    this.#stopSync()
    this.#synced = true
    this.#everAnswered = true
    const lost = this.#current
    this.#current = undefined
    lost?.settle(restartedAgentError(lost.command))
    this.#pump()
  }

  #receiveAnswer(answer: { return?: unknown; error?: { desc?: string } } | undefined): void {
    this.#stopSync()
    const call = this.#current
    this.#current = undefined
    if (answer?.error !== undefined) {
      call?.settle(new AgentRefusal(call.command, String(answer.error.desc)))
    } else if (answer !== undefined && 'return' in answer) {
      call?.settle(undefined, answer.return)
    } else {
      this.#synced = false
      call?.settle(new AgentRefusal(call.command, 'its answer is not readable'))
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
    if (this.#current === undefined && this.#queue.length === 0) this.#stopSync()
    call.settle(error)
    this.#pump()
  }

  #refreshTimers(): void {
    this.#current?.timer.refresh()
    this.#syncTimer?.refresh()
    for (const call of this.#queue) call.timer.refresh()
  }

  #loseSync(): void {
    if (this.#synced) this.#stopSync()
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
