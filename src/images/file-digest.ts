import { createHash } from 'node:crypto'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { wallClock } from '../params/clocks.js'
import { VmStatesError } from '../params/errors.js'
import { fileError } from '../qemu/file-error.js'
import { check } from '../qemu/qemu-img/check.js'
import { unlessMissing } from '../store/files/storage-error.js'
import { writeAtomically } from '../store/files/write-atomically.js'
import type { Store } from '../store/store.js'
import type { ChainLink } from './backing-chain.js'
import { hashFile } from './hash-file.js'

/** Milliseconds; a file that changed so lately may change again without another time stamp. */
const UNSETTLED = 2000

/** What tells, without reading it, that a file is what it was. */
async function readStamp(file: string): Promise<{ text: string; changedAt: number }> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(file, { bigint: true })
    return { text: [dev, ino, size, mtimeNs, ctimeNs].join(':'), changedAt: Number(ctimeMs) }
  } catch (error) {
    throw fileError(error, file)
  }
}

async function cached(path: string, stamp: string): Promise<string | undefined> {
  const text = await unlessMissing(readFile(path, 'utf8'))
  const [writtenFor, digest] = text?.split('\n') ?? []
  return writtenFor === stamp ? digest : undefined
}

/**
 * The sha256 of an image's content. It is remembered in the store by the file's path, inode, size
 * and times, since reading a large image takes long. A qcow2 image is checked for soundness when
 * it is read.
 *
 * @throws VmStatesError `IMAGE_DAMAGED`, `IMAGE_IN_USE` if a machine writes to it
 */
export async function fileDigest(
  { file, format }: ChainLink,
  store: Store,
  signal?: AbortSignal,
): Promise<string> {
  const name = createHash('sha256').update(file).digest('hex')
  const path = join(store.root, 'digests', name)
  const before = await readStamp(file)
  const known = await cached(path, before.text)
  if (known !== undefined) return known

  await using _lock = await store.lock(`digest-${name}`, { signal })
  const meanwhile = await cached(path, before.text)
  if (meanwhile !== undefined) return meanwhile
  if (format === 'qcow2') await check(file, { signal })
  const digest = await hashFile(file, signal)
  const after = await readStamp(file)
  if (after.text !== before.text) {
    throw new VmStatesError('IMAGE_IN_USE', `${file} changed while it was read`)
  }
  if (wallClock() - after.changedAt > UNSETTLED) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeAtomically(path, `${after.text}\n${digest}`, { replace: true, durable: false })
  }
  return digest
}
