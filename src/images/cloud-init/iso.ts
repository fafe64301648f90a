const SECTOR = 2048
/** The sectors before are for boot loaders of other systems. */
const DESCRIPTORS = 16
const LITTLE_PATH_TABLE = 18
const BIG_PATH_TABLE = 19
const ROOT = 20
const FIRST_FILE = 21
const PATH_TABLE_SIZE = 10

const DIRECTORY = 2

/**
 * Makes an ISO 9660 image with files in its only directory: the same bytes for the same files. Names
 * are kept as they are, in lower case and without a version, as `genisoimage -relaxed-filenames` does;
 * Linux and BSD read them so without an extension of the format.
 *
 * @param label - of the volume, at most 32 characters
 * @param files - their text by name; as many as one sector lists
 */
export function isoImage(label: string, files: Readonly<Record<string, string>>): Buffer {
  let sector = FIRST_FILE
  const placed = Object.entries(files).map(([name, text]) => {
    const data = Buffer.from(text)
    const file = { name: Buffer.from(name, 'latin1'), data, sector }
    sector += sectorsOf(data.length)
    return file
  })
  const image = Buffer.alloc(sector * SECTOR)
  const at = (index: number) => image.subarray(index * SECTOR)
  writeVolume(at(DESCRIPTORS), label, sector)
  Buffer.from('\xffCD001\x01', 'latin1').copy(at(DESCRIPTORS + 1))
  writePathTables(at(LITTLE_PATH_TABLE), at(BIG_PATH_TABLE))
  Buffer.concat([
    directoryRecord(Buffer.from([0]), ROOT, SECTOR, DIRECTORY),
    directoryRecord(Buffer.from([1]), ROOT, SECTOR, DIRECTORY),
    ...placed.map(({ name, data, sector }) => directoryRecord(name, sector, data.length, 0)),
  ]).copy(at(ROOT))
  for (const { data, sector } of placed) data.copy(at(sector))
  return image
}

function sectorsOf(bytes: number): number {
  return Math.ceil(bytes / SECTOR)
}

/** The primary volume descriptor, ECMA-119 section 8.4. */
function writeVolume(volume: Buffer, label: string, sectors: number): void {
  volume.write('\x01CD001\x01', 'latin1')
  // Texts: systems, the volume's name, its set, publisher, preparer, application and files about them.
  volume.fill(' ', 8, 72)
  volume.fill(' ', 190, 813)
  volume.write(label, 40, 'latin1')
  writeBoth32(volume, 80, sectors)
  for (const offset of [120, 124]) writeBoth16(volume, offset, 1)
  writeBoth16(volume, 128, SECTOR)
  writeBoth32(volume, 132, PATH_TABLE_SIZE)
  volume.writeUInt32LE(LITTLE_PATH_TABLE, 140)
  volume.writeUInt32BE(BIG_PATH_TABLE, 148)
  directoryRecord(Buffer.from([0]), ROOT, SECTOR, DIRECTORY).copy(volume, 156)
  // No times of creation, change, expiry and effect.
  for (const offset of [813, 830, 847, 864]) volume.fill('0', offset, offset + 16)
  volume[881] = 1
}

/** One entry: the root directory, which is its own parent. */
function writePathTables(little: Buffer, big: Buffer): void {
  little[0] = 1
  little.writeUInt32LE(ROOT, 2)
  little.writeUInt16LE(1, 6)
  big[0] = 1
  big.writeUInt32BE(ROOT, 2)
  big.writeUInt16BE(1, 6)
}

/** ECMA-119 section 9.1; dated 1 January 1970. */
function directoryRecord(name: Buffer, sector: number, size: number, flags: number): Buffer {
  const length = 33 + name.length
  const record = Buffer.alloc(length + (length % 2))
  record[0] = record.length
  writeBoth32(record, 2, sector)
  writeBoth32(record, 10, size)
  record.set([70, 1, 1], 18)
  record[25] = flags
  writeBoth16(record, 28, 1)
  record[32] = name.length
  name.copy(record, 33)
  return record
}

function writeBoth16(buffer: Buffer, offset: number, value: number): void {
  buffer.writeUInt16LE(value, offset)
  buffer.writeUInt16BE(value, offset + 2)
}

function writeBoth32(buffer: Buffer, offset: number, value: number): void {
  buffer.writeUInt32LE(value, offset)
  buffer.writeUInt32BE(value, offset + 4)
}
