import { open } from 'node:fs/promises'

/**
 * The last part of a text file, from the start of a line where there is one. Nothing if the file
 * is not there.
 *
 * @param maxBytes - how much at most
 */
export async function fileTail(path: string, maxBytes: number): Promise<string> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return ''
  try {
    const { size } = await file.stat()
    const start = Math.max(0, size - maxBytes)
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(size - start),
      position: start,
    })
    const text = buffer.toString('utf8', 0, bytesRead)
    const newline = text.indexOf('\n')
    return start > 0 && newline !== -1 ? text.slice(newline + 1) : text
  } finally {
    await file.close()
  }
}
