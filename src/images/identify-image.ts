import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Image } from '../params/image.js'
import type { Store } from '../store/store.js'
import { type ChainLink, readBackingChain } from './backing-chain.js'
import { fileDigest } from './file-digest.js'
import { tinyIdentity } from './tiny/recipe.js'

/** Where an image is looked for, and how the wait for it ends. */
export interface ImageContext {
  /** The directory that relative paths start from; the process's own if it is not given. */
  baseDirectory?: string | undefined
  signal?: AbortSignal | undefined
}

/** A chain's content: the digest of the file, or of the digests where there are several. */
export async function identifyChain(
  chain: readonly ChainLink[],
  store: Store,
  signal?: AbortSignal,
): Promise<string> {
  const digests: string[] = []
  for (const link of chain) digests.push(await fileDigest(link, store, signal))
  if (digests.length === 1) return `sha256:${digests[0]}`
  const lines = chain.map(({ format }, index) => `${format} ${digests[index]}`)
  return `chain:${createHash('sha256').update(lines.join('\n')).digest('hex')}`
}

/**
 * What stands for an image in the keys of states: a digest of its content for files and downloads,
 * the size of a blank disk, the recipe of the tiny guest. Nothing is downloaded or built.
 *
 * @throws VmStatesError for a file that is missing, damaged, or of an unclear format
 */
export async function identifyImage(
  image: Image,
  store: Store,
  { baseDirectory = process.cwd(), signal }: ImageContext = {},
): Promise<string> {
  switch (image.kind) {
    case 'file': {
      const chain = await readBackingChain(resolve(baseDirectory, image.path), image.format)
      return identifyChain(chain, store, signal)
    }
    case 'url':
      return `sha256:${image.sha256}`
    case 'blank':
      return `blank:${image.size}`
    case 'tiny':
      return `tiny:${await tinyIdentity(image.arch)}`
  }
}
