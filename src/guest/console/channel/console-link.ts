import { GuestError } from '../../guest-error.js'
import type { GuestProcess } from '../../guest-process.js'
import { ConsoleFeed } from '../console-feed.js'
import { ConsoleShell } from '../shell/console-shell.js'
import type { Credentials } from '../shell/log-in.js'

/**
 * The way to a guest over its serial console, from a restore to the next: the shell that all share who use it.
 * Nothing is typed before it is needed.
 */
export class ConsoleLink {
  /** A console has no keys. */
  readonly hostKey = undefined
  readonly shell: ConsoleShell

  /** @param credentials - who logs in where the console asks for a user */
  constructor({ serial, qmp, exited }: GuestProcess, credentials: Credentials) {
    const feed = new ConsoleFeed(serial)
    this.shell = new ConsoleShell(feed, credentials)
    qmp.onAny(({ name }) => {
      if (name === 'RESET') this.reset()
    })
    void exited.then(() => feed.gone(() => new GuestError('GUEST_GONE', 'QEMU has ended')))
  }

  /** The shell of a guest that boots anew is no more. */
  reset(): void {
    this.shell.forget()
  }

  /** As {@link reset}. */
  rewind(): void {
    this.shell.forget()
  }

  /** The shell stays: it costs nothing. */
  drop(): void {}

  /** As {@link drop}. */
  forgetHostKey(): void {}
}
