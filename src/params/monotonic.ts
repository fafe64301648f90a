/**
 * Milliseconds on the host's monotonic clock, for spans of time. Taken when this is loaded, before a test can put a
 * clock of its own in its place.
 */
export const monotonic: () => number = performance.now.bind(performance)
