/**
 * A qcow2 image as qemu-img commands take it that cannot be told a format, or must not open what a
 * header names: its driver explicit, its backing file left alone.
 *
 * @param file - absolute path
 */
export function withoutBacking(file: string): string {
  return `json:${JSON.stringify({
    driver: 'qcow2',
    backing: null,
    file: { driver: 'file', filename: file },
  })}`
}

/**
 * A path as QEMU takes it for a path: in `a:b.qcow2` it would see the protocol `a`.
 *
 * @param file - absolute, or relative to the overlay that it is a backing file of
 */
export function plainPath(file: string): string {
  return /^[^/]*:/.test(file) ? `./${file}` : file
}
