import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A web server on the loopback that answers as the test says, and remembers what it was asked. */
export class FileServer implements AsyncDisposable {
  /** `PATH RANGE` of each request, in order. */
  readonly requests: string[] = []
  readonly #server = createServer()
  /** What the next requests get: the first item the first one, the last all further ones. */
  answers: Answer[] = []

  static async start(...answers: Answer[]): Promise<FileServer> {
    const server = new FileServer()
    server.answers = answers
    server.#server.on('request', (request, response) => {
      server.requests.push(`${request.url} ${request.headers.range ?? 'all'}`)
      const next = server.answers.length > 1 ? server.answers.shift() : server.answers[0]
      next?.(request, response)
    })
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Where the request's range starts. */
function rangeStart({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
}

/** Serves a file, and ranges of it, as web servers do. */
export function serve(content: Buffer): Answer {
  return (request, response) => {
    const start = rangeStart(request)
    if (start === 0) {
      response.writeHead(200, { 'content-length': content.length }).end(content)
    } else if (start >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end()
    } else {
      const range = `bytes ${start}-${content.length - 1}/${content.length}`
      response.writeHead(206, { 'content-range': range }).end(content.subarray(start))
    }
  }
}

/** As {@link serve}, but the connection breaks when `count` bytes were sent. */
export function serveBroken(content: Buffer, count: number): Answer {
  return (request, response) => {
    const start = rangeStart(request)
    const range = `bytes ${start}-${content.length - 1}/${content.length}`
    response.writeHead(start === 0 ? 200 : 206, {
      'content-length': content.length - start,
      ...(start === 0 ? {} : { 'content-range': range }),
    })
    response.write(content.subarray(start, start + count), () => response.destroy())
  }
}

/** Answers with a status and headers, and no file. */
export function answer(status: number, headers: Record<string, string> = {}): Answer {
  return (_, response) => response.writeHead(status, headers).end('nothing')
}
