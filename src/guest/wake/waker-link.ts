import type { Duplex } from 'node:stream'
import { wallClock } from '../../params/clocks.js'
import { type Deferred, deferred } from '../../qemu/deferred.js'
import { LineSplitter } from '../../qemu/qmp/line-splitter.js'
import { GuestError } from '../guest-error.js'

/** What the waker is to do; an empty order only asks for the time. */
export interface WakerOrder {
  /** Milliseconds that the clock is moved by. */
  shift?: number
  /** Bytes that the kernel's random numbers are to depend on from now on. */
  seed?: Buffer
}

/** What the waker says when it has done it. */
export interface WakerReport {
  /** Milliseconds that the guest's clock is behind the host's: between these two. */
  behind: readonly [least: number, most: number]
  /** What could not be done, as the guest's kernel says it; empty if all was. */
  faults: string
}

const REPORT = /^(?<id>\d+) (?<seconds>\d+\.\d+) ?(?<faults>.*)$/

/** The host's end of the waker's port. Nobody else may read it meanwhile. */
export class WakerLink implements Disposable {
  readonly #channel: Duplex
  readonly #lines = new LineSplitter()
  readonly #waiting = new Map<string, Deferred<WakerReport> & { sentAt: number }>()

  readonly #onData = (bytes: Buffer) => {
    for (const line of this.#lines.push(bytes)) this.#receive(line)
  }

  readonly #onClose = () => {
    const gone = new GuestError('GUEST_GONE', 'the machine ended while it was woken')
    for (const { reject } of this.#waiting.values()) reject(gone)
  }

  /** @param channel - the host's end of the port `org.vitest-vm-states.wake`; it stays the caller's */
  constructor(channel: Duplex) {
    this.#channel = channel
    channel.on('data', this.#onData)
    channel.on('close', this.#onClose)
  }

  /**
   * Tells the waker what to do. It may be told before its machine runs.
   *
   * @returns its report; it never comes where there is no waker
   * @throws GuestError `GUEST_GONE` if the machine ends
   */
  order({ shift, seed }: WakerOrder): Promise<WakerReport> {
    // Drawn, not counted: a report from before the machine was rewound is nobody's.
    const id = String(Math.floor(Math.random() * 2 ** 47))
    const words = [
      id,
      ...(shift === undefined ? [] : [`shift=${inParts(shift)}`]),
      ...(seed === undefined ? [] : [`seed=${seed.toString('hex')}`]),
    ]
    const report = { ...deferred<WakerReport>(), sentAt: wallClock() }
    this.#waiting.set(id, report)
    if (this.#channel.destroyed) this.#onClose()
    else this.#channel.write(`${words.join(' ')}\n`)
    return report.promise
  }

  [Symbol.dispose](): void {
    this.#channel.off('data', this.#onData)
    this.#channel.off('close', this.#onClose)
  }

  #receive(line: string): void {
    const { id = '', seconds, faults = '' } = REPORT.exec(line)?.groups ?? {}
    const time = Number(seconds) * 1000
    const report = this.#waiting.get(id)
    report?.resolve({ behind: [report.sentAt - time, wallClock() - time], faults })
  }
}

/** Seconds, which may be negative, and microseconds, which may not. */
function inParts(milliseconds: number): string {
  const microseconds = Math.round(milliseconds * 1000)
  const seconds = Math.floor(microseconds / 1e6)
  return `${seconds}:${microseconds - seconds * 1e6}`
}
