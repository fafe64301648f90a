import { plainPath } from './address.js'
import { type QemuImgOptions, runQemuImg } from './run.js'

/** The file under an overlay. */
export interface Backing {
  /** Absolute, or relative to the overlay's folder. */
  file: string
  format: 'qcow2' | 'raw'
  /** Bytes. Where it is given, the backing file is not opened and need not be there yet. */
  virtualSize?: number
}

/**
 * Makes a qcow2 overlay: a file that holds what differs from its backing file, so far nothing. A
 * file that is there already is overwritten.
 *
 * @param file - absolute path
 */
export async function createOverlay(
  file: string,
  { file: backing, format, virtualSize }: Backing,
  options?: QemuImgOptions,
): Promise<void> {
  const size = virtualSize === undefined ? [] : [String(virtualSize)]
  const unsafe = virtualSize === undefined ? [] : ['-u']
  const args = [
    '-q',
    '-f',
    'qcow2',
    ...unsafe,
    '-F',
    format,
    '-b',
    plainPath(backing),
    file,
    ...size,
  ]
  await runQemuImg(['create', ...args], file, options)
}

/**
 * Makes a qcow2 image without content. A file that is there already is overwritten.
 *
 * @param file - absolute path
 * @param virtualSize - bytes that a guest sees
 */
export async function createBlank(
  file: string,
  virtualSize: number,
  options?: QemuImgOptions,
): Promise<void> {
  await runQemuImg(['create', '-q', '-f', 'qcow2', file, String(virtualSize)], file, options)
}
