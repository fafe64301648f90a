import { createInterface } from 'node:readline'
import { Duplex, PassThrough } from 'node:stream'

export interface Received {
  id: number
  execute: string
  arguments?: Record<string, unknown>
}

/** The other side of a QMP connection, for what a real QEMU cannot be brought to do. */
export interface ScriptedPeer {
  /** The client's side. */
  stream: Duplex
  /** Sends bytes to the client. */
  send(data: string | Uint8Array): void
  /** The next command of the client's. */
  next(): Promise<Received>
  end(): void
}

const GREETING =
  '{"QMP":{"version":{"qemu":{"major":9,"minor":1,"micro":2}},"capabilities":[]}}\r\n'

/** A peer that has greeted and taken the client into command mode, unless told not to. */
export function scriptedPeer(greet = true): ScriptedPeer {
  const toClient = new PassThrough()
  const fromClient = new PassThrough()
  const lines = createInterface(fromClient)[Symbol.asyncIterator]()
  if (greet) {
    toClient.write(GREETING)
    void lines.next().then(() => toClient.write('{"return":{},"id":1}\r\n'))
  }
  return {
    stream: Duplex.from({ readable: toClient, writable: fromClient }),
    send: (data) => toClient.write(data),
    next: async () => JSON.parse((await lines.next()).value) as Received,
    end: () => toClient.end(),
  }
}
