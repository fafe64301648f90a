import { createDebug } from 'obug'

/** What can be traced: the parts of `DEBUG=vm-states:PART`. */
type Topic = 'qmp' | 'agent' | 'exec' | 'restore' | 'build' | 'lock' | 'standby'

/**
 * Traces what the package does and why, on stderr, where the environment variable `DEBUG` asks for it. A call costs
 * next to nothing where it does not; what takes work to say is asked for by `enabled`.
 */
export function tracer(topic: Topic) {
  return createDebug(`vm-states:${topic}`)
}
