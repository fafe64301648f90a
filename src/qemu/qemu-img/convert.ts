import { type QemuImgOptions, runQemuImg } from './run.js'

/** What {@link convert} reads and writes. */
export interface Conversion {
  /** Absolute path of what is read. */
  from: string
  /** A format that qemu-img knows: `raw`, `vmdk`, `qcow2`. */
  fromFormat: string
  /** Absolute path of what is written; a file that is there already is overwritten. */
  to: string
  toFormat: 'qcow2' | 'raw'
}

/** Copies an image, and everything under it, into one file of another format. */
export async function convert(
  { from, fromFormat, to, toFormat }: Conversion,
  { timeout = 3_600_000, signal }: QemuImgOptions = {},
): Promise<void> {
  await runQemuImg(['convert', '-q', '-f', fromFormat, '-O', toFormat, from, to], from, {
    timeout,
    signal,
  })
}
