import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getSecure } from 'node:https'
import { VmStatesError } from '../../params/errors.js'

const MAX_REDIRECTS = 10

const REDIRECTS = [301, 302, 303, 307, 308]

/** Answers that a later attempt may change. */
const PASSING = [408, 425, 429]

/** Milliseconds without a byte after which a connection is given up. */
const IDLE_TIMEOUT = 30_000

/** A URL as messages show it: without the password that it may hold. */
export function showUrl(url: string | URL): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return shown.href
}

/** An error that another attempt cannot mend. */
function refused(url: string | URL, problem: string): VmStatesError {
  return new VmStatesError('DOWNLOAD_FAILED', `the download of ${showUrl(url)} failed: ${problem}`)
}

function open(url: URL, from: number, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  const get = url.protocol === 'https:' ? getSecure : getPlain
  const headers = {
    'accept-encoding': 'identity',
    'user-agent': 'vitest-vm-states',
    ...(from === 0 ? {} : { range: `bytes=${from}-` }),
  }
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent: false, ...(signal && { signal }) }, resolve)
    request.on('error', reject)
    request.setTimeout(IDLE_TIMEOUT, () => {
      request.destroy(new Error(`no byte came for ${IDLE_TIMEOUT / 1000} s`))
    })
  })
}

function redirection(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw refused(from, `it is redirected to ${JSON.stringify(location ?? '')}`)
  }
  const to = new URL(location, from)
  const allowed = from.protocol === 'https:' ? ['https:'] : ['https:', 'http:']
  if (!allowed.includes(to.protocol)) throw refused(from, `it is redirected to ${showUrl(to)}`)
  return to
}

/**
 * Asks for a file from a given byte on, and follows redirects.
 *
 * @param from - the first byte that is wanted; a server may send the whole file all the same
 * @returns the answer with status 200, 206 or 416, its body unread
 * @throws VmStatesError `DOWNLOAD_FAILED` where another attempt would be in vain, else an `Error`
 */
export async function requestFile(
  address: string,
  from: number,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  let url = new URL(address)
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await open(url, from, signal)
    const status = response.statusCode ?? 0
    if (status === 200 || status === 206 || (status === 416 && from > 0)) {
      const encoding = response.headers['content-encoding'] ?? 'identity'
      if (encoding === 'identity') return response
      response.destroy()
      throw refused(url, `the server encodes it as ${encoding}`)
    }
    response.destroy()
    const answer = `the server answers ${status} ${response.statusMessage ?? ''}`.trimEnd()
    if (REDIRECTS.includes(status)) url = redirection(url, response.headers.location)
    else if (status >= 500 || PASSING.includes(status)) throw new Error(answer)
    else throw refused(url, answer)
  }
  throw refused(address, `it is redirected more than ${MAX_REDIRECTS} times`)
}
