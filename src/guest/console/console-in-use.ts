import type { GuestProcess } from '../guest-process.js'
import { ConsoleFeed } from './console-feed.js'
import { Expect } from './expect.js'
import { ConsoleShell } from './shell/console-shell.js'

/** What a handle does with the serial console of the machine that it stands for. */
export class ConsoleInUse {
  readonly feed: ConsoleFeed
  readonly expect: Expect
  /** Nothing is typed before its first call. */
  readonly shell: ConsoleShell

  /** @param shell - the one that its guest is talked to by, if it is */
  constructor(serial: GuestProcess['serial'], shell: ConsoleShell | undefined) {
    this.feed = new ConsoleFeed(serial)
    this.expect = new Expect(this.feed)
    this.shell = shell ?? new ConsoleShell(this.feed)
  }
}
