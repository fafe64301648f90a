/** A reason of ours: QEMU itself would have stopped for ever. */
export const HOST_DISK_FULL = "the host's disk is full"

/** How a QEMU process ended. */
export interface ExitStatus {
  /** The exit code, unless a signal ended it. */
  code: number | null
  signal: NodeJS.Signals | null
  /**
   * What QEMU's last `SHUTDOWN` event gave as its reason: `guest-shutdown`, `guest-panic`,
   * `host-qmp-quit`, `host-signal`, …; or {@link HOST_DISK_FULL}; absent if there was none.
   */
  shutdownReason?: string
}

/** An exit status in words. */
export function describeExit({ code, signal, shutdownReason }: ExitStatus): string {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`
  return shutdownReason === undefined ? how : `${how}, ${shutdownReason}`
}
