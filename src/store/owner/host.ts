import { readFileSync, readlinkSync } from 'node:fs'
import { type ProcessIdentity, parseStat } from './process-status.js'

/** Where a pid means something: the same boot of the same host, the same PID namespace. */
export interface PidScope {
  boot: string
  /** Undefined where `/proc` belongs to another namespace than the process: no pid can be judged. */
  pidNamespace?: string
}

interface Here {
  scope: PidScope
  self: ProcessIdentity
}

let here: Here | undefined

// Synchronously: an asynchronous read would run on a thread of the pool, with its own thread-self.
function lookAround(): Here {
  const [pid, , thread] = readlinkSync('/proc/thread-self').split('/').map(Number)
  if (pid === undefined || thread === undefined) throw new Error('/proc/thread-self is unreadable')
  const { startTime } = parseStat(readFileSync(`/proc/thread-self/stat`, 'utf8'))
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const scope: PidScope = { boot }
  if (pid === process.pid) scope.pidNamespace = readlinkSync('/proc/self/ns/pid')
  return { scope, self: { pid: process.pid, thread, startTime } }
}

/** The scope of this process's pids, and the thread that asks. */
export function whoAmI(): Here {
  here ??= lookAround()
  return here
}

/** Whether a pid that was recorded in `scope` means the same here. */
export function isHere(scope: PidScope): boolean {
  const mine = whoAmI().scope
  return (
    scope.boot === mine.boot &&
    scope.pidNamespace !== undefined &&
    scope.pidNamespace === mine.pidNamespace
  )
}
