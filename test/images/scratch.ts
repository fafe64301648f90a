import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool } from '../../src/images/run-tool.js'
import { runQemuImg } from '../../src/qemu/qemu-img/run.js'
import { openStore, type Store } from '../../src/store/store.js'

/** A directory with a store in it, both gone at the end of a test. */
export interface Scratch extends AsyncDisposable {
  directory: string
  store: Store
  /** An absolute path in the directory. */
  path(name: string): string
}

export async function makeScratch(): Promise<Scratch> {
  const directory = await mkdtemp(join(tmpdir(), 'images-'))
  const store = await openStore(join(directory, 'store'))
  return {
    directory,
    store,
    path: (name) => join(directory, name),
    async [Symbol.asyncDispose]() {
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Runs `qemu-img` with words, the last of which is or names the image. */
export async function qemuImg(...args: string[]): Promise<string> {
  return runQemuImg(args, args.at(-1) ?? '')
}

/** Writes a pattern into a qcow2 image, so that it holds data. */
export async function fillImage(file: string, pattern: number, length = '1M'): Promise<void> {
  await runTool('qemu-io', ['-f', 'qcow2', '-c', `write -P ${pattern} 0 ${length}`, file])
}
