const SECTOR = 2048

/** What an ISO 9660 image holds, read apart from how it is written: the root directory's files as text. */
export function readIso(image: Buffer): { label: string; files: Record<string, string> } {
  const volume = image.subarray(16 * SECTOR)
  if (volume.toString('latin1', 1, 6) !== 'CD001') throw new Error('it is no ISO 9660 image')
  if (volume.readUInt32LE(80) * SECTOR !== image.length) throw new Error('its length is wrong')
  const root = volume.readUInt32BE(156 + 6) * SECTOR
  const files: Record<string, string> = {}
  for (let offset = root; image[offset]; offset += image[offset] ?? 0) {
    const nameLength = image[offset + 32] ?? 0
    const name = image.toString('latin1', offset + 33, offset + 33 + nameLength)
    if (name === '\0' || name === '\x01') continue
    const start = image.readUInt32LE(offset + 2) * SECTOR
    files[name] = image.toString('utf8', start, start + image.readUInt32LE(offset + 10))
  }
  return { label: volume.toString('latin1', 40, 72).trimEnd(), files }
}
