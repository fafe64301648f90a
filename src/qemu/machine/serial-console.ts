import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { clearInterval, setInterval } from 'node:timers'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonic } from '../../params/clocks.js'
import { fileTail } from './file-tail.js'
import type { EventSource, RunningTime } from './running-time.js'
import { type Mark, timedLines } from './timed-lines.js'

/** Milliseconds between two looks at how much has come: what timestamps are exact to. */
const LOOK_EVERY = 50

/** How many looks are remembered; beyond, only every second one of the older is. */
const MOST_MARKS = 50_000

const TRANSCRIPT_BYTES = 2 ** 20

/** Bytes that are read at once. */
const CHUNK = 2 ** 18

/** Milliseconds between two looks of who waits: a tenth of the time so far, within these. */
const SHORTEST_WAIT = 5
const LONGEST_WAIT = 50

/**
 * The serial console of a machine. QEMU writes what comes over the line to a file, which a guest never waits
 * for, and reads what is typed from a pipe.
 */
export class SerialConsole {
  /** Absolute path of the file, written from power-on. */
  readonly file: string
  /** Whether something was typed: what the guest has not taken would reach it after a restore. */
  isTyped = false
  readonly #input: Writable
  #start = 0
  #marks: Mark[] = []
  readonly #time: RunningTime
  /** How long the CPUs had run when the machine came to its state. */
  #startTime = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * @param input - the host's end of the pipe
   * @param qmp - tells when the CPUs run
   * @param time - for how long they have
   */
  constructor(file: string, input: Writable, qmp: EventSource, time: RunningTime) {
    this.file = file
    this.#input = input
    this.#time = time
    qmp.on('RESUME', () => this.#resumed())
    qmp.on('STOP', () => this.#stopped())
  }

  /** The place in the file where what came since power-on, or since the restore, begins. */
  get start(): number {
    return this.#start
  }

  /** How many bytes have come. */
  get size(): number {
    return statSync(this.file, { throwIfNoEntry: false })?.size ?? 0
  }

  /**
   * What has come.
   *
   * @param from - a place in the file
   * @param maxBytes - how much at most
   */
  async read(from: number, maxBytes: number): Promise<Buffer> {
    const length = Math.min(this.size - from, maxBytes)
    if (length <= 0) return Buffer.alloc(0)
    await using file = await open(this.file)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from)
    return buffer.subarray(0, bytesRead)
  }

  /**
   * What comes next, once something does.
   *
   * @param from - a place in the file
   * @param isOver - whether nothing more is waited for: nothing is returned then, or what came before
   */
  async next(from: number, isOver: () => boolean): Promise<Buffer> {
    const begin = monotonic()
    for (;;) {
      const wasOver = isOver()
      const bytes = await this.read(from, CHUNK)
      if (bytes.length > 0 || wasOver) return bytes
      const elapsed = monotonic() - begin
      await delay(Math.min(Math.max(elapsed / 10, SHORTEST_WAIT), LONGEST_WAIT))
    }
  }

  /** Types something. Resolves once it is on its way; a guest takes it when its CPUs run. */
  write(data: string | Uint8Array): Promise<void> {
    this.isTyped = true
    return new Promise((resolve) => {
      // A machine that has ended is told of by its end.
      this.#input.write(data, () => resolve())
    })
  }

  /**
   * The end of what came since power-on, or since the restore.
   *
   * @param maxBytes - how much at most
   */
  tail(maxBytes: number): Promise<string> {
    return fileTail(this.file, maxBytes, this.#start)
  }

  /**
   * What came since power-on, or since the restore, readable and line by line, each with the seconds that the
   * CPUs had run. They are as exact as this process was at leisure, 50 ms at best.
   *
   * @param maxBytes - how much of its end at most; 1 MiB by default
   */
  async transcript(maxBytes: number = TRANSCRIPT_BYTES): Promise<string> {
    this.#look()
    const from = Math.max(this.#start, this.size - maxBytes)
    const bytes = await this.read(from, maxBytes)
    return timedLines(bytes, from, this.#marks, { isCut: from > this.#start })
  }

  /** Tells that the machine was brought back to its state, with its CPUs stopped. */
  restart(): void {
    this.#start = this.size
    this.#marks = []
    this.#startTime = this.#time.elapsed
  }

  /** Tells that the machine has ended; the file stays. */
  close(): void {
    this.#stopped()
    this.#input.destroy()
  }

  #resumed(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY).unref()
  }

  #stopped(): void {
    if (this.#timer === undefined) return
    this.#look()
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const end = this.size
    if (end <= (this.#marks.at(-1)?.end ?? this.#start)) return
    this.#marks.push({ end, time: this.#time.elapsed - this.#startTime })
    if (this.#marks.length > MOST_MARKS)
      this.#marks = this.#marks.filter((_, index) => index % 2 === 1)
  }
}
