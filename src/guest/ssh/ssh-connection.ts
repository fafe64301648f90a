import { createHash } from 'node:crypto'
import { connect } from 'node:net'
// By import, since a test may put a clock of its own in the place of the global ones.
import { clearTimeout, setTimeout } from 'node:timers'
import type { Client, ClientChannel } from 'ssh2'

/** Milliseconds from the greeting until somebody is logged in: under TCG sshd takes seconds. */
const LOGIN_TIMEOUT = 60_000

/** A guest that says nothing for a minute, though asked four times, is not there any more. */
const KEEP_ALIVE = { keepaliveInterval: 15_000, keepaliveCountMax: 4 }

/** OpenSSH runs as many commands on a connection unless told otherwise (MaxSessions). */
const MOST_SESSIONS = 10

/** It gets one command at a time: with several at once, version 2022.83 refuses some, or ends the connection. */
const DROPBEAR = 'SSH-2.0-dropbear'

/** What a connection is opened with. */
interface ConnectionOptions {
  /** On the host's loopback. */
  port: number
  user: string
  privateKey: string
  /** Milliseconds until the guest must have said a first word. */
  greetingTimeout: number
  /** Told the fingerprint of the guest's host key; whether it is the right one. */
  acceptsHostKey(fingerprint: string): boolean
}

/**
 * Given a command as soon as it runs, before anything of it can have come.
 *
 * @param whyLost - why the connection has ended, for a command that ends without a word
 */
export type Follow<T> = (channel: ClientChannel, whyLost: () => string) => T

/** Whether an attempt to connect failed since the guest does not know the user, or the key. */
export function isLoginRefusal(error: unknown): boolean {
  return (error as { level?: string }).level === 'client-authentication'
}

/** A host key as OpenSSH shows it. */
function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** A connection to the guest's sshd, with somebody logged in. */
export class SshConnection {
  readonly #client: Client
  #sessions = 0
  #most: number
  #end: string | undefined

  private constructor(client: Client, greeting: string) {
    this.#client = client
    this.#most = greeting.startsWith(DROPBEAR) ? 1 : MOST_SESSIONS
    client.on('error', (error) => {
      this.#end ??= error.message
    })
    client.on('close', () => {
      this.#end ??= 'it was closed by the guest'
    })
  }

  /** Tries once to connect and to log in. */
  static async open(options: ConnectionOptions): Promise<SshConnection> {
    const { port, user, privateKey, greetingTimeout, acceptsHostKey } = options
    const { default: ssh2 } = await import('ssh2')
    const client = new ssh2.Client()
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    return await new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        clearTimeout(tooLate)
        socket.destroy()
        reject(error)
      }
      const tooLate = setTimeout(
        () => fail(new Error(`nothing was said within ${greetingTimeout} ms`)),
        greetingTimeout,
      )
      let greeting = ''
      socket.once('data', (chunk) => {
        clearTimeout(tooLate)
        greeting = chunk.toString('latin1')
      })
      client
        .on('error', fail)
        .on('close', () => fail(new Error('the connection was closed')))
        .once('ready', () => resolve(new SshConnection(client, greeting)))
        .connect({
          sock: socket,
          username: user,
          privateKey,
          authHandler: ['publickey'],
          readyTimeout: LOGIN_TIMEOUT,
          hostVerifier: (key: Buffer) => acceptsHostKey(fingerprintOf(key)),
          ...KEEP_ALIVE,
        })
    })
  }

  /** Why it has ended; undefined while it lasts. */
  get end(): string | undefined {
    return this.#end
  }

  /** Whether it can run one more command. */
  get hasRoom(): boolean {
    return this.#end === undefined && this.#sessions < this.#most
  }

  /** Whether it runs any. */
  get isBusy(): boolean {
    return this.#sessions > 0
  }

  /** Runs a command. One that is refused beside others is the last that is tried beside as many. */
  async run<T>(command: string, follow: Follow<T>): Promise<T> {
    this.#sessions++
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#client.exec(command, (error, channel) => {
          if (error) return reject(error)
          this.#sessions++
          channel.once('close', () => this.#sessions--)
          resolve(follow(channel, () => this.#end ?? 'it was closed'))
        })
      })
    } catch (error) {
      this.#most = Math.max(1, this.#sessions - 1)
      throw error
    } finally {
      this.#sessions--
    }
  }

  /** Ends it at once, with every command that is under way. */
  close(why: string): void {
    this.#end ??= why
    this.#client.destroy()
  }
}
