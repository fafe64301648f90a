/** An internal snapshot of a qcow2 image, as `qemu-img snapshot -l` prints it. */
export interface Snapshot {
  /** What QEMU resolves before it looks at tags; unique within its image. */
  id: string
  /** The name, as far as a listing can tell: blanks at its end look like padding. */
  tag: string
  /** Bytes of RAM and device state, to the three digits that are printed; 0 for a disk snapshot. */
  vmStateSize: number
  /** When it was taken, to the second. */
  date: Date
  /** Milliseconds that the guest had run. */
  vmClock: number
  /** Instructions that the guest had run, where QEMU counted them. */
  icount?: number
}
