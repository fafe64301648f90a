/** A file, directory, device or symbolic link of an archive. */
export interface CpioEntry {
  /** Relative to the root, without a leading slash. */
  path: string
  /** File type and permissions, as in `stat.st_mode`. */
  mode: number
  /** A file's content, or where a symbolic link points to. */
  data?: Uint8Array
  /** Major and minor number of a device node. */
  device?: readonly [major: number, minor: number]
}

const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4)

function encode(entry: CpioEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${entry.path}\0`)
  const data = entry.data ?? new Uint8Array()
  const [major, minor] = entry.device ?? [0, 0]
  const fields = [inode, entry.mode, 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`
  const head = Buffer.concat([Buffer.from(header), name])
  return [head, padding(head.length), Buffer.from(data), padding(data.length)]
}

/**
 * An archive in the `newc` format, as the Linux kernel unpacks it at boot; everything belongs to
 * root. Parents must come before what they hold.
 *
 * Source: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const trailer: CpioEntry = { path: 'TRAILER!!!', mode: 0 }
  return Buffer.concat([...entries, trailer].flatMap((entry, index) => encode(entry, index + 1)))
}
