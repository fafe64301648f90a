/** What machines take of a host, all of them at once. */
export interface Amount {
  /** Bytes. */
  memory: number
  machines: number
}

/** What machines take, and why. */
export interface Need extends Amount {
  /** What they are for, as people call it: `debian/nginx`. */
  label: string
}

/** The least that any of several takes, in memory and in number. */
export function smallest(amounts: readonly Amount[]): Amount {
  return {
    memory: Math.min(...amounts.map(({ memory }) => memory)),
    machines: Math.min(...amounts.map(({ machines }) => machines)),
  }
}
