/** The host's clock in milliseconds since 1970, taken before a test can put a clock of its own in its place. */
export const { now } = Date
