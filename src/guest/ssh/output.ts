import { Transform, Writable } from 'node:stream'

/** Bytes of an output that are kept, as many as the guest agent keeps. */
const MOST_KEPT = 16 * 2 ** 20

/** Keeps what is written to it. */
export class KeptOutput extends Writable {
  readonly #most: number
  readonly #chunks: Buffer[] = []
  #size = 0
  #isTruncated = false

  /** @param most - bytes that are kept */
  constructor(most = MOST_KEPT) {
    super()
    this.#most = most
  }

  /** What was written so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** Whether there was more than is kept. */
  get isTruncated(): boolean {
    return this.#isTruncated
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const kept = chunk.subarray(0, this.#most - this.#size)
    this.#isTruncated ||= kept.length < chunk.length
    this.#size += kept.length
    if (kept.length > 0) this.#chunks.push(kept)
    done()
  }
}

/**
 * Takes what comes up to the end of a line with a mark in it, and hands on what follows: a login shell may have
 * printed something before. All is handed on where there is no mark.
 */
export class AfterMark extends Transform {
  readonly #mark: Buffer
  readonly #onLine: (line: string) => void
  #held: Buffer | undefined = Buffer.alloc(0)

  /** @param onLine - given the rest of the line after the mark and a blank */
  constructor(mark: string, onLine: (line: string) => void) {
    super()
    this.#mark = Buffer.from(`${mark} `)
    this.#onLine = onLine
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#held === undefined) {
      this.push(chunk)
    } else {
      const held = Buffer.concat([this.#held, chunk])
      const start = held.indexOf(this.#mark)
      const end = start === -1 ? -1 : held.indexOf('\n', start)
      this.#held = end === -1 ? held : undefined
      if (end !== -1) {
        this.#onLine(held.toString('utf8', start + this.#mark.length, end))
        this.push(held.subarray(end + 1))
      }
    }
    done()
  }

  override _flush(done: () => void): void {
    if (this.#held !== undefined) this.push(this.#held)
    done()
  }
}
