/** An event of QEMU's, as the QMP specification calls it. */
export interface QmpEvent {
  /** Such as `SHUTDOWN`. */
  name: string
  data: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970, by the host's clock. */
  time: number
}

/** What one line from QEMU is. */
export type QmpMessage =
  | { type: 'greeting'; version: string }
  | { type: 'event'; event: QmpEvent }
  | { type: 'answer'; id: unknown; value: unknown }
  | { type: 'refusal'; id: unknown; errorClass: string; description: string }

function field(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<string, unknown>)[key]
        : undefined,
    value,
  )
}

function readVersion(greeting: unknown): string {
  return ['major', 'minor', 'micro']
    .map((part) => field(greeting, 'version', 'qemu', part))
    .join('.')
}

/**
 * Reads one line of the QEMU Machine Protocol.
 *
 * @throws SyntaxError if the line is not a message of the protocol
 */
export function readMessage(line: string): QmpMessage {
  const message: unknown = JSON.parse(line)
  const greeting = field(message, 'QMP')
  if (greeting !== undefined) return { type: 'greeting', version: readVersion(greeting) }
  const name = field(message, 'event')
  if (typeof name === 'string') {
    const data = field(message, 'data')
    const seconds = Number(field(message, 'timestamp', 'seconds'))
    const microseconds = Number(field(message, 'timestamp', 'microseconds'))
    const event = {
      name,
      data: typeof data === 'object' && data !== null ? { ...data } : {},
      time: seconds * 1000 + microseconds / 1000,
    }
    return { type: 'event', event }
  }
  const id = field(message, 'id')
  const error = field(message, 'error')
  if (error !== undefined) {
    return {
      type: 'refusal',
      id,
      errorClass: String(field(error, 'class')),
      description: String(field(error, 'desc')),
    }
  }
  if (typeof message === 'object' && message !== null && 'return' in message) {
    return { type: 'answer', id, value: message.return }
  }
  throw new SyntaxError(`not a message of the QEMU Machine Protocol: ${line.slice(0, 200)}`)
}
