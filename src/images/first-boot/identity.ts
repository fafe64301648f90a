import { createHash } from 'node:crypto'
import type { FirstBoot } from '../../params/first-boot.js'

/** What stands for changes of an image in keys: a digest of them. */
export function firstBootIdentity(firstBoot: FirstBoot): string {
  return createHash('sha256').update(JSON.stringify(firstBoot)).digest('hex')
}
