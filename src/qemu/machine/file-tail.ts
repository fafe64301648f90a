import { open } from 'node:fs/promises'

/**
 * The last part of a text file, from the start of a line where there is one. Nothing if the file
 * is not there.
 *
 * @param maxBytes - how much at most
 * @param from - a place in the file before which nothing is of interest
 */
export async function fileTail(path: string, maxBytes: number, from = 0): Promise<string> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return ''
  try {
    const { size } = await file.stat()
    const start = Math.max(from, size - maxBytes)
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(Math.max(0, size - start)),
      position: start,
    })
    const text = buffer.toString('utf8', 0, bytesRead)
    const newline = text.indexOf('\n')
    return start > from && newline !== -1 ? text.slice(newline + 1) : text
  } finally {
    await file.close()
  }
}
