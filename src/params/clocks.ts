/*
 * Taken when this is loaded, before a test can put clocks of its own in their place.
 */

/** Milliseconds on the host's monotonic clock, for spans of time. */
// biome-ignore lint/style/noRestrictedGlobals: the one place
export const monotonic: () => number = performance.now.bind(performance)

/** Milliseconds since 1970, as the host has them. */
export const wallClock: () => number = Date.now.bind(Date)
