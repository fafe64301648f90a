/** Milliseconds that a guest's clock may be off after it was set; beyond, it is corrected. */
export const TOLERANCE = 20

/** How often the clock is set at most: a busy host may delay each answer. */
export const TRIES = 10

/** Milliseconds that are tolerated at a try: on a busy host answers take too long to know better. */
export function toleranceAt(tries: number): number {
  return Math.min(TOLERANCE * tries, 4 * TOLERANCE)
}
