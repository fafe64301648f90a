import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { fileError } from '../../qemu/file-error.js'

/** A file that is being downloaded: what there is of it so far, and the checksum of that. */
export class PartialFile {
  readonly #path: string
  readonly #handle: FileHandle
  #hash: Hash
  #size: number

  private constructor(path: string, handle: FileHandle, hash: Hash, size: number) {
    this.#path = path
    this.#handle = handle
    this.#hash = hash
    this.#size = size
  }

  /** Opens a file, with what an earlier download may have left in it. */
  static async open(path: string): Promise<PartialFile> {
    try {
      const handle = await open(path, 'a+', 0o600)
      const hash = createHash('sha256')
      let size = 0
      for await (const chunk of createReadStream(path)) {
        hash.update(chunk)
        size += chunk.length
      }
      return new PartialFile(path, handle, hash, size)
    } catch (error) {
      throw fileError(error, path)
    }
  }

  /** Bytes. */
  get size(): number {
    return this.#size
  }

  /** The sha256 of what was written, in hexadecimal digits. */
  get digest(): string {
    return this.#hash.copy().digest('hex')
  }

  async append(chunk: Buffer): Promise<void> {
    try {
      await this.#handle.appendFile(chunk)
    } catch (error) {
      throw fileError(error, this.#path)
    }
    this.#hash.update(chunk)
    this.#size += chunk.length
  }

  /** Forgets everything that was written. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0)
    this.#hash = createHash('sha256')
    this.#size = 0
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
