import { readFileSync, statSync } from 'node:fs'
import { wallClock } from '../../params/clocks.js'

const texts = new Map<string, { stamp: string; text: string }>()

/** Milliseconds; a file that changed so lately may change again without another time stamp. */
const UNSETTLED = 100

/**
 * The text of a file, read again only when its inode, size or times have changed.
 *
 * @throws what reading it throws
 */
export function readText(path: string): string {
  const { ino, size, mtimeNs, ctimeNs, ctimeMs } = statSync(path, { bigint: true })
  const stamp = `${ino}:${size}:${mtimeNs}:${ctimeNs}`
  const known = texts.get(path)
  if (known?.stamp === stamp) return known.text
  const text = readFileSync(path, 'utf8')
  // Two equal texts are one, so that what is made of a text can be found by it.
  const kept = known?.text === text ? known.text : text
  if (wallClock() - Number(ctimeMs) > UNSETTLED) texts.set(path, { stamp, text: kept })
  else texts.set(path, { stamp: '', text: kept })
  return kept
}
