import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { VmStatesError } from '../../params/errors.js'
import { fileError } from '../file-error.js'
import { readExtensions } from './extensions.js'
import { type IncompatibleFeature, readIncompatibleFeatures } from './features.js'

const MAGIC = 0x514649fb
const V2_LENGTH = 72
const V3_LENGTH = 104
const MAX_BACKING_FILE_LENGTH = 1023
const MAX_SNAPSHOTS = 65536
/** The smallest row of the snapshot table: one without a name, an ID or extra data. */
const SNAPSHOT_ROW_LENGTH = 40

/** What the header of a qcow2 image says. Nothing that it names is opened. */
export interface Qcow2Header {
  version: 2 | 3
  /** Bytes that a guest sees. */
  virtualSize: number
  /** Bytes of a cluster. */
  clusterSize: number
  /** As it is written: relative to the image's folder, absolute, or a protocol's address. */
  backingFile?: string
  backingFormat?: string
  /** Set where the guest's data is in a file of its own; empty if the header does not name it. */
  dataFile?: string
  encrypted: boolean
  /** `nb_snapshots`: how many rows a listing must have. */
  snapshotCount: number
  incompatibleFeatures: readonly IncompatibleFeature[]
  /** Incompatible features that we do not know; such an image must not be opened. */
  unknownFeatureBits: readonly number[]
}

function damaged(file: string, problem: string): VmStatesError {
  return new VmStatesError('IMAGE_DAMAGED', `${file} is truncated or corrupt: ${problem}`)
}

async function readAt(handle: FileHandle, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0)
  return buffer.subarray(0, bytesRead)
}

function toNumber(file: string, what: string, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(file, `${what} is ${value}`)
  return Number(value)
}

function mustEnd(
  file: string,
  fileSize: number,
  what: string,
  start: bigint,
  length: number,
): void {
  if (start + BigInt(length) <= BigInt(fileSize)) return
  throw damaged(
    file,
    `${what} should end at byte ${start + BigInt(length)}, the file at ${fileSize}`,
  )
}

function parseHeader(file: string, head: Buffer, fileSize: number): Qcow2Header {
  if (head.length < 4 || head.readUInt32BE(0) !== MAGIC) {
    throw new VmStatesError('IMAGE_NOT_QCOW2', `${file} is not a qcow2 image`, {
      hint: 'Convert it with "states convert"; if it is raw, add "--format raw".',
    })
  }
  if (head.length < V2_LENGTH) throw damaged(file, `it ends after ${head.length} bytes`)
  const version = head.readUInt32BE(4)
  if (version !== 2 && version !== 3) {
    throw new VmStatesError('IMAGE_NOT_QCOW2', `${file} is qcow2 of version ${version}, not 2 or 3`)
  }
  if (version === 3 && head.length < V3_LENGTH)
    throw damaged(file, `it ends after ${head.length} bytes`)
  const clusterBits = head.readUInt32BE(20)
  if (clusterBits < 9 || clusterBits > 21) throw damaged(file, `cluster_bits is ${clusterBits}`)
  const snapshotCount = head.readUInt32BE(60)
  if (snapshotCount > MAX_SNAPSHOTS) throw damaged(file, `it counts ${snapshotCount} snapshots`)
  mustEnd(file, fileSize, 'the L1 table', head.readBigUInt64BE(40), head.readUInt32BE(36) * 8)
  mustEnd(file, fileSize, 'the refcount table', head.readBigUInt64BE(48), 8)
  if (snapshotCount > 0) {
    const length = snapshotCount * SNAPSHOT_ROW_LENGTH
    mustEnd(file, fileSize, 'the snapshot table', head.readBigUInt64BE(64), length)
  }

  const features = readIncompatibleFeatures(version === 3 ? head.readBigUInt64BE(72) : 0n)
  const backingOffset = toNumber(file, 'the offset of the backing file', head.readBigUInt64BE(8))
  const backingLength = head.readUInt32BE(16)
  if (backingOffset !== 0 && backingLength > MAX_BACKING_FILE_LENGTH) {
    throw damaged(file, `the name of its backing file is ${backingLength} bytes long`)
  }
  if (backingOffset !== 0 && backingOffset + backingLength > head.length) {
    throw damaged(file, 'the name of its backing file is outside of its header')
  }
  const headerLength = version === 3 ? head.readUInt32BE(100) : V2_LENGTH
  const extensions = readExtensions(
    head.subarray(0, backingOffset === 0 ? undefined : backingOffset),
    headerLength,
  )
  if (extensions === undefined) throw damaged(file, 'its header extensions do not end')
  return {
    version,
    virtualSize: toNumber(file, 'its virtual size', head.readBigUInt64BE(24)),
    clusterSize: 2 ** clusterBits,
    ...(backingOffset === 0
      ? {}
      : { backingFile: head.toString('utf8', backingOffset, backingOffset + backingLength) }),
    ...(extensions.backingFormat === undefined ? {} : { backingFormat: extensions.backingFormat }),
    ...(features.incompatibleFeatures.includes('data-file')
      ? { dataFile: extensions.dataFile ?? '' }
      : {}),
    encrypted: head.readUInt32BE(32) !== 0,
    snapshotCount,
    ...features,
  }
}

/**
 * Reads the header of a qcow2 image, without QEMU and without opening what it names. An image may
 * be in use: nothing is locked.
 *
 * @throws VmStatesError `IMAGE_MISSING`, `IMAGE_NOT_QCOW2` (raw, or another format), `IMAGE_DAMAGED`
 *   (truncated, or values that cannot be), `ACCESS_DENIED`
 */
export async function readQcow2Header(file: string): Promise<Qcow2Header> {
  let handle: FileHandle | undefined
  try {
    // Without blocking: a named pipe would wait for somebody who writes to it.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = await handle.stat()
    if (!status.isFile()) throw new VmStatesError('IMAGE_NOT_QCOW2', `${file} is not a file`)
    // Everything that we read is within the first cluster, which is at most 2 MiB and mostly 64 KiB.
    return parseHeader(file, await readAt(handle, 65536), status.size)
  } catch (error) {
    throw fileError(error, file)
  } finally {
    await handle?.close()
  }
}
