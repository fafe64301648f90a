const END = 0
const BACKING_FORMAT = 0xe2792aca
const DATA_FILE = 0x44415441

/**
 * The header extensions of a qcow2 image.
 *
 * @param head - the image's first bytes, up to the name of the backing file if there is one
 * @param start - the header's length: where the extensions begin
 * @returns undefined if they run past the end of `head`
 */
export function readExtensions(
  head: Buffer,
  start: number,
): { backingFormat?: string; dataFile?: string } | undefined {
  const found: { backingFormat?: string; dataFile?: string } = {}
  let at = start
  while (at + 8 <= head.length) {
    const type = head.readUInt32BE(at)
    const length = head.readUInt32BE(at + 4)
    if (type === END) return found
    if (at + 8 + length > head.length) return undefined
    const text = head.toString('utf8', at + 8, at + 8 + length)
    if (type === BACKING_FORMAT) found.backingFormat = text
    if (type === DATA_FILE) found.dataFile = text
    at += 8 + Math.ceil(length / 8) * 8
  }
  // The end mark may be left out where the backing file's name follows at once.
  return at === head.length ? found : undefined
}
