/** How a QEMU process ended. */
export interface ExitStatus {
  /** The exit code, unless a signal ended it. */
  code: number | null
  signal: NodeJS.Signals | null
  /**
   * What QEMU's last `SHUTDOWN` event gave as its reason: `guest-shutdown`, `guest-panic`,
   * `host-qmp-quit`, `host-signal`, …; in words, that the host's disk is full; absent if there was none.
   */
  shutdownReason?: string
}

/** An exit status in words. */
export function describeExit({ code, signal, shutdownReason }: ExitStatus): string {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`
  return shutdownReason === undefined ? how : `${how}, ${shutdownReason}`
}
