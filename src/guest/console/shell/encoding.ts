/** How bytes travel over a console. */
export type Encoding = 'base64' | 'numbers'

/** Bytes for one line: terminals of Linux lose what is beyond 4095 characters. A multiple of 3. */
export const PER_LINE: Record<Encoding, number> = { base64: 2850, numbers: 900 }

/** Bytes as characters that no terminal changes, in as many parts as it takes lines. */
export function encode(bytes: Buffer, encoding: Encoding): string[] {
  const parts: string[] = []
  for (let start = 0; start < bytes.length; start += PER_LINE[encoding]) {
    const part = bytes.subarray(start, start + PER_LINE[encoding])
    parts.push(encoding === 'base64' ? part.toString('base64') : octal(part))
  }
  return parts
}

/** For a shell's `printf`. */
function octal(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}

const SHAPES: Record<Encoding, RegExp> = {
  base64: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  numbers: /^(?:[0-9a-f]{2})*$/,
}

/**
 * The bytes that a guest has printed.
 *
 * @param size - how many there are
 * @returns undefined where something else came in between
 */
export function decode(text: string, size: number, encoding: Encoding): Buffer | undefined {
  const characters = text.replace(/\s/g, '')
  if (!SHAPES[encoding].test(characters)) return undefined
  const bytes = Buffer.from(characters, encoding === 'base64' ? 'base64' : 'hex')
  return bytes.length === size ? bytes : undefined
}
