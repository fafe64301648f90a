import type { Duplex } from 'node:stream'
import { VmStatesError } from '../../params/errors.js'
import { abortedError, type Patience, withDeadline } from '../deadline.js'
import { deferred } from '../deferred.js'
import { runJob } from './job.js'
import { LineSplitter } from './line-splitter.js'
import { type QmpEvent, type QmpMessage, readMessage } from './message.js'
import { monitorError } from './monitor-text.js'
import type { QmpArguments, WaitForEventOptions } from './options.js'
import { QmpLog } from './qmp-log.js'

/** Milliseconds that a command may take unless told: QEMU answers late while it writes guest RAM. */
const COMMAND_TIMEOUT = 30_000

/** Called with each event that was subscribed to. It must not throw. */
export type QmpListener = (event: QmpEvent) => void

interface Pending {
  command: string
  resolve(value: unknown): void
  reject(error: Error): void
}

/** A connection to a running QEMU, by the QEMU Machine Protocol. */
export class QmpClient {
  readonly #stream: Duplex
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<{ name: string | undefined; listener: QmpListener }>()
  readonly #lossListeners = new Set<(error: VmStatesError) => void>()
  readonly #greeting = deferred<string>()
  #lastId = 0
  #loss: VmStatesError | undefined
  #closing = false

  /** Settles when the connection has ended and every event before that was delivered. */
  readonly closed: Promise<void>
  /** The last messages in both directions. */
  readonly log: QmpLog

  private constructor(stream: Duplex, label: string) {
    this.#stream = stream
    this.log = new QmpLog(label)
    const splitter = new LineSplitter()
    stream.on('data', (chunk: Buffer) => {
      for (const line of splitter.push(chunk)) this.#receive(line)
    })
    let cause: Error | undefined
    stream.on('error', (error) => {
      cause = error
    })
    this.closed = new Promise((resolve) => {
      const onClose = () => {
        this.#lose(cause)
        resolve()
      }
      // Node drains the channels of a child that ends before anyone has read from them.
      if (stream.closed) onClose()
      else stream.once('close', onClose)
    })
    stream.once('end', () => stream.destroy())
    if (stream.readableEnded) stream.destroy()
    this.#greeting.promise.catch(() => {})
  }

  /**
   * Takes over a connected stream: awaits QEMU's greeting, and enters command mode.
   *
   * @param options.label - the machine, as traces call it
   * @throws VmStatesError `TIMEOUT`, `ABORTED` or `QMP_CONNECTION_LOST`
   */
  static async open(
    stream: Duplex,
    { label = 'QEMU', timeout = COMMAND_TIMEOUT, signal }: Patience & { label?: string } = {},
  ): Promise<QmpClient> {
    const client = new QmpClient(stream, label)
    const patience = { timeout, signal }
    try {
      await withDeadline(client.#greeting.promise, "QEMU's greeting", patience)
      await client.execute('qmp_capabilities', undefined, patience)
      return client
    } catch (error) {
      client.close()
      throw error
    }
  }

  /** Whether commands can be sent. */
  get connected(): boolean {
    return this.#loss === undefined && !this.#closing
  }

  /** The version of QEMU from its greeting, such as `7.2.22`. */
  get version(): Promise<string> {
    return this.#greeting.promise
  }

  /**
   * Sends a command and awaits its answer. Commands may be sent without waiting for each other;
   * QEMU works on them in order.
   *
   * @param timeout - milliseconds until it rejects; QEMU may still carry the command out
   * @throws VmStatesError `QMP_COMMAND_FAILED` with QEMU's own text, `QMP_CONNECTION_LOST`,
   *   `TIMEOUT`, `ABORTED`
   */
  async execute(command: string, args?: QmpArguments, patience: Patience = {}): Promise<unknown> {
    this.#requireConnection(command)
    if (patience.signal?.aborted) throw abortedError(command, patience.signal)
    const id = ++this.#lastId
    const { promise, resolve, reject } = deferred<unknown>()
    this.#pending.set(id, { command, resolve, reject })
    const line = JSON.stringify({ execute: command, arguments: args, id })
    this.log.add('->', line)
    this.#stream.write(`${line}\n`)
    try {
      const { timeout = COMMAND_TIMEOUT, signal } = patience
      return await withDeadline(promise, `the QMP command ${command}`, { timeout, signal })
    } finally {
      this.#pending.delete(id)
    }
  }

  /**
   * Calls `listener` for each event of a name from now on.
   *
   * @returns a function that ends it
   */
  on(name: string, listener: QmpListener): () => void {
    return this.#listen({ name, listener })
  }

  /** As {@link on}, for events of every name. */
  onAny(listener: QmpListener): () => void {
    return this.#listen({ name: undefined, listener })
  }

  /**
   * Awaits the next event of a name. Call it before the command that leads to the event.
   *
   * @param options.match - what else must hold for the event
   * @throws VmStatesError `QMP_CONNECTION_LOST`, `TIMEOUT`, `ABORTED`
   */
  async waitForEvent(
    name: string,
    { match = () => true, ...patience }: WaitForEventOptions = {},
  ): Promise<QmpEvent> {
    const what = `waiting for the QEMU event ${name}`
    this.#requireConnection(what)
    const { promise, resolve, reject } = deferred<QmpEvent>()
    const off = this.on(name, (event) => {
      if (match(event)) resolve(event)
    })
    this.#lossListeners.add(reject)
    try {
      return await withDeadline(promise, what, patience)
    } finally {
      off()
      this.#lossListeners.delete(reject)
    }
  }

  /**
   * Runs a command that starts a job, such as `snapshot-save`, to the job's end. The job is always
   * dismissed, so that its id does not stay behind in QEMU.
   *
   * @param args - without `job-id`, which is added
   * @param timeout - milliseconds; a job that is late goes on in QEMU, and is dismissed at its end
   * @throws VmStatesError `QMP_COMMAND_FAILED` also when the job concluded with an error
   */
  runJob(command: string, args: QmpArguments, patience: Patience = {}): Promise<void> {
    return runJob(this, command, args, patience)
  }

  /**
   * Gives a command to the human monitor, for the few things that QMP has no command for.
   *
   * @returns what the monitor printed
   * @throws VmStatesError `QMP_COMMAND_FAILED` if the monitor printed an error, which QMP itself
   *   passes on as an ordinary result
   */
  async humanMonitor(commandLine: string, patience: Patience = {}): Promise<string> {
    const args = { 'command-line': commandLine }
    const text = String(await this.execute('human-monitor-command', args, patience))
    const error = monitorError(commandLine, text)
    if (error === undefined) return text
    throw new VmStatesError('QMP_COMMAND_FAILED', `${commandLine}: ${error}`)
  }

  /** Ends the connection; QEMU goes on. What is still pending rejects. */
  close(): void {
    this.#closing = true
    this.#stream.destroy()
  }

  #listen(entry: { name: string | undefined; listener: QmpListener }): () => void {
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  #requireConnection(what: string): void {
    if (this.#loss !== undefined) throw connectionLost(what, this.#loss.cause)
    if (this.#closing) throw connectionLost(what, undefined)
  }

  #receive(line: string): void {
    this.log.add('<-', line)
    let message: QmpMessage
    try {
      message = readMessage(line)
    } catch (error) {
      this.#stream.destroy(error as Error)
      return
    }
    if (message.type === 'greeting') this.#greeting.resolve(message.version)
    else if (message.type === 'event') this.#emit(message.event)
    else if (message.type === 'answer') this.#take(message.id)?.resolve(message.value)
    else this.#refuse(message.id, message.description)
  }

  #emit(event: QmpEvent): void {
    for (const { name, listener } of [...this.#listeners]) {
      if (name === undefined || name === event.name) listener(event)
    }
  }

  #take(id: unknown): Pending | undefined {
    return this.#pending.get(id as number)
  }

  /** QEMU cannot name the command whose text it could not read: such a refusal has no id. */
  #refuse(id: unknown, description: string): void {
    const refused = id === undefined ? [...this.#pending.values()] : [this.#take(id)]
    for (const pending of refused) {
      pending?.reject(new VmStatesError('QMP_COMMAND_FAILED', `${pending.command}: ${description}`))
    }
  }

  #lose(cause: Error | undefined): void {
    this.#loss = connectionLost('the connection', cause)
    for (const { command, reject } of this.#pending.values()) {
      reject(connectionLost(`the QMP command ${command}`, cause))
    }
    for (const reject of [...this.#lossListeners]) reject(this.#loss)
    this.#greeting.reject(connectionLost("QEMU's greeting", cause))
  }
}

function connectionLost(what: string, cause: unknown): VmStatesError {
  return new VmStatesError('QMP_CONNECTION_LOST', `${what}: the connection to QEMU has ended`, {
    cause,
  })
}
