/** Milliseconds that a guest's clock may be off after it was set; beyond, it is corrected. */
export const TOLERANCE = 20

/** How often the clock is set at most: a busy host may delay each answer. */
export const TRIES = 4
