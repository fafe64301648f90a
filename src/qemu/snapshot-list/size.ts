const EXPONENTS: Record<string, number> = { K: 1, M: 2, G: 3, T: 4, P: 5, E: 6 }

/**
 * A size as a snapshot listing prints it, in bytes: `1.23 GiB`, `1e+03 MiB`, `0 B`; before QEMU 4.1
 * `1.2G`, `0`.
 *
 * @param text - what `rowPattern` matched as a size
 */
export function parseSnapshotSize(text: string): number {
  const unit = /[KMGTPE]/.exec(text)?.[0]
  return Math.round(
    Number.parseFloat(text) * 1024 ** (unit === undefined ? 0 : (EXPONENTS[unit] ?? 0)),
  )
}
