import type { QmpArguments } from './options.js'

/** What a machine does, by QEMU's names. */
export type RunState =
  | 'running'
  | 'paused'
  | 'shutdown'
  | 'suspended'
  | 'guest-panicked'
  | 'internal-error'
  | 'io-error'
  | 'prelaunch'
  | 'watchdog'
  | 'inmigrate'
  | 'postmigrate'
  | 'finish-migrate'
  | 'restore-vm'
  | 'save-vm'
  | 'debug'
  | 'colo'

/** A drive, as `query-block` tells of it. */
export interface BlockInfo {
  device: string
  qdev?: string
  removable: boolean
  locked: boolean
  inserted?: { 'node-name'?: string; file: string; ro: boolean; drv: string }
}

interface Command<Returns, Arguments = QmpArguments | undefined> {
  arguments: Arguments
  returns: Returns
}

/** Commands of the QEMU Machine Protocol that are typed; QEMU's QMP reference has all. */
export interface QmpCommands {
  'query-status': Command<{ status: RunState; running: boolean }>
  'query-version': Command<{
    qemu: { major: number; minor: number; micro: number }
    package: string
  }>
  'query-block': Command<BlockInfo[]>
  'query-cpus-fast': Command<{ 'cpu-index': number; 'thread-id': number }[]>
  'query-name': Command<{ name?: string }>
  'query-uuid': Command<{ UUID: string }>
  'human-monitor-command': Command<string, { 'command-line': string }>
  stop: Command<object>
  cont: Command<object>
  system_reset: Command<object>
  system_powerdown: Command<object>
}
