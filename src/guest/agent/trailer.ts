import { Transform, type TransformCallback } from 'node:stream'
import { deferred } from '../../qemu/deferred.js'

/** Takes the mark off that a stream of bytes ends with, and tells when it has come. */
export class Trailer extends Transform {
  readonly #mark: Buffer
  readonly #come = deferred<void>()
  #held = Buffer.alloc(0)

  /** @param mark - that nothing else in the stream is the same as; one that never comes is no error */
  constructor(mark: string) {
    super()
    this.#mark = Buffer.from(mark)
    this.once('close', () => this.#come.resolve())
  }

  /** Until all before the mark has come, or nothing more can. */
  get come(): Promise<void> {
    return this.#come.promise
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    const bytes = Buffer.concat([this.#held, chunk])
    const end = bytes.length - this.#begun(bytes)
    this.#held = bytes.subarray(end)
    if (this.#held.length === this.#mark.length) this.#come.resolve()
    done(null, bytes.subarray(0, end))
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#held.length === this.#mark.length ? undefined : this.#held)
  }

  /** How many bytes at the end may be the mark, or its beginning. */
  #begun(bytes: Buffer): number {
    for (let length = Math.min(bytes.length, this.#mark.length); length > 0; length--) {
      if (bytes.subarray(-length).equals(this.#mark.subarray(0, length))) return length
    }
    return 0
  }
}
