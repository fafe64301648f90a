import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImageTarget } from '../../src/backends/image-backend.js'

/** Small real images whose content is one byte, over and over. */
export class Images implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  static async open(): Promise<Images> {
    return new Images(await mkdtemp(join(tmpdir(), 'images-')))
  }

  /** A qcow2 image of 1 MiB that holds `content`. */
  create(name: string, content: number): string {
    const file = join(this.directory, name)
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M'])
    this.write(file, content)
    return file
  }

  /** What a guest would do. */
  write(file: string, content: number): void {
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -q -P ${content} 0 1M`, file])
  }

  /** What a guest would see: the byte, if the whole image holds it. */
  async read(file: string): Promise<number> {
    const raw = `${file}.raw`
    execFileSync('qemu-img', ['convert', '-U', '-f', 'qcow2', '-O', 'raw', file, raw])
    const bytes = await readFile(raw)
    await rm(raw)
    const content = bytes[0] ?? -1
    return bytes.every((byte) => byte === content) ? content : -1
  }

  /** Names of all files, hidden ones too. */
  async files(): Promise<string[]> {
    return (await readdir(this.directory)).sort()
  }

  target(...files: string[]): ImageTarget {
    return { disks: files.map((file, index) => ({ name: `disk${index}`, file, format: 'qcow2' })) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true })
  }
}
