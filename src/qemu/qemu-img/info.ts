import { type QemuImgOptions, runQemuImg } from './run.js'

/** What `qemu-img info --output=json` says about an image; more than is listed here. */
export interface ImageInfo {
  filename: string
  format: string
  /** Bytes that a guest sees. */
  'virtual-size': number
  /** Bytes on the host's disk. */
  'actual-size': number
  'backing-filename'?: string
  'full-backing-filename'?: string
  'backing-filename-format'?: string
  snapshots?: readonly SnapshotInfo[]
}

/** A row of an image's snapshot table. */
export interface SnapshotInfo {
  id: string
  name: string
  'vm-state-size': number
  /** Seconds since 1970. */
  'date-sec': number
  'vm-clock-sec': number
  'vm-clock-nsec': number
  icount?: number
}

/**
 * What QEMU says about one image. It may be in use.
 *
 * @param file - absolute path
 * @param format - never probed: a raw image that looks like qcow2 could name any file of the host
 */
export async function info(
  file: string,
  format: 'qcow2' | 'raw',
  options?: QemuImgOptions,
): Promise<ImageInfo> {
  return JSON.parse(
    await runQemuImg(['info', '-U', '--output=json', '-f', format, file], file, options),
  )
}
