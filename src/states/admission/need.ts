/** What machines take of a host, all of them at once. */
export interface Need {
  /** Bytes. */
  memory: number
  machines: number
  /** What they are for, as people call it: `debian/nginx`. */
  label: string
}
