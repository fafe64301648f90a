import { VmStatesError } from '../../params/errors.js'
import { type Patience, withDeadline } from '../deadline.js'
import { type Deferred, deferred } from '../deferred.js'
import { matches, type Pattern } from './match.js'
import type { QmpEvent } from './message.js'

/** How many events are remembered. */
const MOST = 10_000

/** Where events come from: a part of `QmpClient`. */
interface EventSource {
  onAny(listener: (event: QmpEvent) => void): () => void
  readonly closed: Promise<void>
}

/** Which event is waited for, and for how long. */
export interface EventOptions extends Patience {
  /** What its data must have at least, or a function of the event. Any will do unless given. */
  match?: Pattern | ((event: QmpEvent) => boolean)
}

/** The events of a machine since it was made, so that none is missed by who asks for it later. */
export class EventLog implements AsyncIterable<QmpEvent> {
  readonly #entries: { event: QmpEvent; isTaken: boolean }[] = []
  /** How many were forgotten. */
  #forgotten = 0
  #more: Deferred<void> = deferred()
  #ended: (() => Error) | undefined
  readonly #off: () => void

  constructor(source: EventSource) {
    this.#off = source.onAny((event) => this.#add(event))
    void source.closed.then(() =>
      this.end(() => new VmStatesError('QMP_CONNECTION_LOST', 'the machine has ended')),
    )
  }

  /**
   * The first event of one of these names that was not waited for before, or the next one. The same one
   * is not given twice.
   *
   * @throws VmStatesError `TIMEOUT` after all of the time, however many others come; `ABORTED`; whatever
   *   the log was ended with
   */
  async waitFor(
    names: readonly string[],
    { match = {}, ...patience }: EventOptions = {},
  ): Promise<QmpEvent> {
    const isWanted = (event: QmpEvent) =>
      names.includes(event.name) &&
      (typeof match === 'function' ? match(event) : matches(event.data, match))
    const givenUp = new AbortController()
    try {
      const found = this.#take(isWanted, givenUp.signal)
      return await withDeadline(found, `waiting for ${names.join(' or ')}`, patience)
    } finally {
      givenUp.abort()
    }
  }

  /** All events, those that were waited for too, until the machine or the log ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<QmpEvent, void, void> {
    for (let index = 0; ; ) {
      index = Math.max(index, this.#forgotten)
      const entry = this.#entries[index - this.#forgotten]
      if (entry !== undefined) {
        index++
        yield entry.event
      } else if (this.#ended !== undefined) return
      else await this.#more.promise
    }
  }

  /**
   * Ends the log: nobody is told of further events.
   *
   * @param reason - makes the error for who still waits
   */
  end(reason: () => Error): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#off()
    this.#more.resolve()
  }

  #add(event: QmpEvent): void {
    this.#entries.push({ event, isTaken: false })
    if (this.#entries.length > MOST) {
      this.#entries.shift()
      this.#forgotten++
    }
    const { resolve } = this.#more
    this.#more = deferred()
    resolve()
  }

  async #take(isWanted: (event: QmpEvent) => boolean, givenUp: AbortSignal): Promise<QmpEvent> {
    for (let index = 0; ; ) {
      index = Math.max(index, this.#forgotten)
      for (; index < this.#forgotten + this.#entries.length; index++) {
        const entry = this.#entries[index - this.#forgotten]
        if (entry === undefined || entry.isTaken || !isWanted(entry.event)) continue
        givenUp.throwIfAborted()
        entry.isTaken = true
        return entry.event
      }
      if (this.#ended !== undefined) throw this.#ended()
      await this.#more.promise
    }
  }
}
