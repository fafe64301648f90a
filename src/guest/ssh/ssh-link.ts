import { setTimeout as delay } from 'node:timers/promises'
import { monotonic } from '../../params/clocks.js'
import { isVmStatesError } from '../../params/errors.js'
import { type Patience, withDeadline } from '../../qemu/deadline.js'
import { GuestError } from '../guest-error.js'
import type { GuestProcess } from '../guest-process.js'
import { type Follow, isLoginRefusal, SshConnection } from './ssh-connection.js'
import {
  changedHostKeyError,
  lostConnectionError,
  missingSshError,
  refusedLoginError,
  refusedSessionError,
} from './ssh-errors.js'

const SSH_PORT = 22

const DEFAULT_TIMEOUT = 30_000

/** Milliseconds until an attempt that nobody has answered is given up for the next one. */
const GREETING_TIMEOUT = { first: 2000, longest: 30_000 }

/** Milliseconds between two attempts. */
const PAUSE = { first: 50, longest: 1000 }

/** Milliseconds for which a guest that boots may know the user or the key not yet. */
const REFUSED_FOR = 30_000
/** Milliseconds between two attempts then: OpenSSH 9.8 and later shut out who is refused too often. */
const REFUSED_PAUSE = 3000

/** How often a command is tried that is refused though no other one runs: some may just have ended. */
const REFUSED_TIMES = 3

/** Milliseconds that QEMU gets to end after a connection has. */
const EXIT_GRACE = 1000

/** How a guest is logged in to. */
interface SshLogin {
  user: string
  privateKey: string
  /** The fingerprint of the guest's host key, if it was met before: `SHA256:…`. */
  hostKey: string | undefined
}

/**
 * The way to a guest over ssh, from a restore to the next. Nothing is connected before it is needed; then the
 * connection is kept for every command, with further ones where the guest runs no more commands on one.
 * What has ended, by a reset of the machine, too, is opened anew for the next command.
 */
export class SshLink {
  /** That of a console, which this is not. */
  readonly shell = undefined
  readonly #process: GuestProcess
  readonly #login: SshLogin
  #hostKey: string | undefined
  #connections: SshConnection[] = []
  #hostPort: Promise<number> | undefined
  /** How often every connection was ended: an attempt that was under way then is of no use. */
  #ends = 0
  #dialling: Promise<void> | undefined
  #waiting = 0
  #lastFailure: string | undefined
  /** Whether somebody was logged in since the guest has booted. */
  #isUp = false
  #isEnded = false

  constructor(process: GuestProcess, login: SshLogin) {
    this.#process = process
    this.#login = login
    this.#hostKey = login.hostKey
    process.qmp.onAny(({ name }) => {
      if (name === 'RESET') this.reset()
    })
    void process.exited.then(() => {
      this.#isEnded = true
      this.drop('QEMU has ended')
    })
  }

  /** The fingerprint of the guest's host key, once it was met. */
  get hostKey(): string | undefined {
    return this.#hostKey
  }

  /** The error of a guest that has not answered within so many milliseconds. */
  missing(timeout: number): GuestError {
    return missingSshError(timeout, this.#lastFailure)
  }

  /**
   * Waits until somebody is logged in.
   *
   * @throws GuestError `GUEST_SSH_MISSING`, `GUEST_SSH_REFUSED`, `SSH_HOST_KEY_CHANGED`, `ABORTED`
   */
  async connect(patience: Patience = {}): Promise<void> {
    await this.#connected(() => this.#connections.find(({ end }) => end === undefined), patience)
  }

  /**
   * Runs a command, by the login shell of the user.
   *
   * @throws GuestError as {@link connect} does, and `GUEST_SSH_LOST`
   */
  async run<T>(command: string, follow: Follow<T>, patience: Patience = {}): Promise<T> {
    const { timeout = DEFAULT_TIMEOUT } = patience
    const startedAt = monotonic()
    let refusedAlone = 0
    for (;;) {
      // What is awaited begins at once, so that nobody else takes the room.
      const find = () => {
        const connection = this.#connections.find(({ hasRoom }) => hasRoom)
        return connection && { connection, result: connection.run(command, follow) }
      }
      const { connection, result } = await this.#connected(find, patience)
      try {
        return await result
      } catch (error) {
        if (connection.end !== undefined) throw await this.lost(connection.end)
        // It did not begin. A guest may run no more at once, on one connection or on all.
        if (!this.#connections.some(({ isBusy }) => isBusy)) refusedAlone++
        const isOver = monotonic() - startedAt > timeout
        if (refusedAlone === REFUSED_TIMES || isOver) {
          throw refusedSessionError((error as Error).message)
        }
        await delay(PAUSE.first)
      }
    }
  }

  /**
   * The error of a command whose connection has ended. QEMU that ends as well is told of by whoever waits for
   * its end; it has its time to do so.
   *
   * @param why - the connection has ended
   */
  async lost(why: string): Promise<GuestError> {
    await withDeadline(this.#process.exited, 'QEMU', { timeout: EXIT_GRACE }).catch(() => {})
    return lostConnectionError(why)
  }

  /** Ends every connection, and lets go of the host's port: another one is made when it is needed. */
  drop(why = 'it was given up'): void {
    this.#hostPort = undefined
    this.#endAll(why)
  }

  /** Ends every connection of a guest that boots anew. */
  reset(): void {
    this.#isUp = false
    this.#endAll('the machine was reset')
  }

  /** Ends every connection of a guest that goes back to where it was restored: its host key does, too. */
  rewind(): void {
    this.#hostKey = this.#login.hostKey
    this.drop('the machine goes back to its state')
  }

  /** Has the next connection learn the guest's host key anew, since it was given another one on purpose. */
  forgetHostKey(): void {
    this.#hostKey = undefined
    this.#endAll('the guest was given another host key')
  }

  #endAll(why: string): void {
    this.#ends++
    const connections = this.#connections
    this.#connections = []
    for (const connection of connections) connection.close(why)
  }

  /** What is found among the connections, once it is there. */
  async #connected<T>(
    find: () => T | undefined,
    { timeout = DEFAULT_TIMEOUT, signal }: Patience,
  ): Promise<T> {
    const startedAt = monotonic()
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      const left = Math.max(1, timeout - (monotonic() - startedAt))
      this.#waiting++
      try {
        await withDeadline(this.#dial(), 'connecting by ssh', { timeout: left, signal })
      } catch (error) {
        if (!isVmStatesError(error, 'TIMEOUT')) throw error
        throw this.missing(timeout)
      } finally {
        this.#waiting--
      }
    }
  }

  /** Makes one more connection, for everybody who waits for one. */
  #dial(): Promise<void> {
    this.#dialling ??= this.#dialAgain().finally(() => {
      this.#dialling = undefined
    })
    return this.#dialling
  }

  /** Tries for as long as somebody waits. */
  async #dialAgain(): Promise<void> {
    let pause = PAUSE.first
    let greetingTimeout = GREETING_TIMEOUT.first
    let refusedAt: number | undefined
    while (this.#waiting > 0) {
      if (this.#isEnded) throw new GuestError('GUEST_SSH_MISSING', 'QEMU has ended')
      try {
        return await this.#attempt(greetingTimeout)
      } catch (error) {
        if (error instanceof GuestError) throw error
        if (isLoginRefusal(error)) {
          refusedAt ??= monotonic()
          pause = REFUSED_PAUSE
          const isForGood = this.#isUp || monotonic() - refusedAt > REFUSED_FOR
          if (isForGood) throw refusedLoginError(this.#login.user)
        }
        this.#lastFailure = (error as Error).message
      }
      await delay(pause)
      pause = Math.min(pause * 2, PAUSE.longest)
      greetingTimeout = Math.min(greetingTimeout * 1.5, GREETING_TIMEOUT.longest)
    }
  }

  /** Does nothing of use where all connections were dropped meanwhile. */
  async #attempt(greetingTimeout: number): Promise<void> {
    const { user, privateKey } = this.#login
    const ends = this.#ends
    this.#hostPort ??= this.#process.forwardPort(SSH_PORT).then(({ hostPort }) => hostPort)
    const hostPort = this.#hostPort
    let met: string | undefined
    const acceptsHostKey = (fingerprint: string) => {
      met = fingerprint
      return this.#hostKey === undefined || this.#hostKey === fingerprint
    }
    try {
      const port = await hostPort
      const options = { port, user, privateKey, greetingTimeout, acceptsHostKey }
      const connection = await SshConnection.open(options)
      if (ends !== this.#ends) return connection.close('it is of no use any more')
      this.#hostKey ??= met
      this.#isUp = true
      this.#connections = [...this.#connections.filter(({ end }) => end === undefined), connection]
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const isUseless = code === 'ECONNREFUSED' || isVmStatesError(error)
      if (isUseless && this.#hostPort === hostPort) this.#hostPort = undefined
      if (ends !== this.#ends) return
      const known = this.#hostKey
      if (known !== undefined && met !== undefined && met !== known) {
        throw changedHostKeyError(known, met)
      }
      throw isVmStatesError(error) ? GuestError.from(error) : error
    }
  }
}
