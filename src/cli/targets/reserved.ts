import { existsSync } from 'node:fs'
import type { Context } from '../report.js'
import { type ImageOptions, withImages } from './image-subject.js'

/** The reserved name of an image as it is. */
export const ROOT = 'root'

/** The reserved name of a machine that runs. */
const BOOT = 'boot'

/**
 * Whether a name can mean an image itself, or, of a running machine, that it runs. With a backend,
 * it is a tag like any other.
 */
export function isReserved(tag: string, { backend, qmp }: ImageOptions): boolean {
  if (backend !== undefined) return false
  return qmp === undefined ? tag === ROOT : tag === BOOT
}

/**
 * Whether a command means an image's root: the name is `root`, and the image has no state that
 * another tool has called so.
 */
export async function meansRoot(
  { file, tag }: { file: string; tag: string },
  options: ImageOptions,
  { signal }: Context,
): Promise<boolean> {
  if (tag !== ROOT || !isReserved(tag, options)) return false
  if ([file, ...(options.disk ?? [])].some((path) => !existsSync(path))) return true
  return withImages(file, options, signal, async ({ target, backends }) => {
    const having = await Promise.all(backends.map((each) => each.check(target, tag, { signal })))
    return !having.includes(true)
  })
}
