import type { Duplex } from 'node:stream'

type Message = Readonly<Record<string, unknown>>

interface Waiter {
  matches(message: Message): boolean
  resolve(message: Message): void
}

/** The least that talks with QEMU's monitor or with a guest agent: JSON, a message a line. */
export class JsonLines {
  readonly #stream: Duplex
  #rest = ''
  #waiters: Waiter[] = []

  constructor(stream: Duplex) {
    this.#stream = stream
    stream.on('error', () => {})
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (this.#rest + chunk).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') this.#take(JSON.parse(line) as Message)
    })
  }

  /** The next message that fits. */
  next(matches: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      this.#waiters.push({ matches, resolve })
    })
  }

  /** Sends a command, and gives its result. One at a time. */
  async execute(command: string, args?: Message): Promise<unknown> {
    const answer = this.next((message) => 'return' in message || 'error' in message)
    this.#stream.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    const { error, return: result } = await answer
    if (error !== undefined) throw new Error(`${command}: ${JSON.stringify(error)}`)
    return result
  }

  #take(message: Message): void {
    const waiter = this.#waiters.find(({ matches }) => matches(message))
    if (waiter === undefined) return
    this.#waiters = this.#waiters.filter((other) => other !== waiter)
    waiter.resolve(message)
  }
}
