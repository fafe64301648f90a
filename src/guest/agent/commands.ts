/** What `guest-exec-status` says about a command. Base64 fields are absent when empty. */
export interface ExecStatus {
  exited: boolean
  exitcode?: number
  /** The number of the signal that ended the command. */
  signal?: number
  'out-data'?: string
  'err-data'?: string
  'out-truncated'?: boolean
  'err-truncated'?: boolean
}

/** The part of a file that `guest-file-read` returned. */
export interface FileChunk {
  count: number
  'buf-b64': string
  eof: boolean
}

/** A network card of the guest's. */
export interface NetworkInterface {
  name: string
  'ip-addresses'?: readonly { 'ip-address': string; 'ip-address-type': 'ipv4' | 'ipv6' }[]
}

/**
 * The guest agent's commands that are used here: arguments and answers, after QEMU's
 * "QEMU Guest Agent Protocol Reference".
 */
export interface AgentCommands {
  'guest-exec': {
    arguments: {
      path: string
      arg: readonly string[]
      'input-data'?: string
      'capture-output': boolean
    }
    answer: { pid: number }
  }
  'guest-exec-status': { arguments: { pid: number }; answer: ExecStatus }
  'guest-file-open': { arguments: { path: string; mode: 'r' }; answer: number }
  'guest-file-read': { arguments: { handle: number; count: number }; answer: FileChunk }
  'guest-file-close': { arguments: { handle: number }; answer: object }
  /** Nanoseconds since 1970; beyond what a number holds exactly, by less than a microsecond. */
  'guest-get-time': { arguments: Record<string, never>; answer: number }
  'guest-set-time': { arguments: { time: number }; answer: object }
  'guest-get-host-name': { arguments: Record<string, never>; answer: { 'host-name': string } }
  'guest-network-get-interfaces': {
    arguments: Record<string, never>
    answer: readonly NetworkInterface[]
  }
  /** They answer how many filesystems. */
  'guest-fsfreeze-freeze': { arguments: Record<string, never>; answer: number }
  'guest-fsfreeze-thaw': { arguments: Record<string, never>; answer: number }
  'guest-shutdown': { arguments: { mode: 'powerdown' | 'reboot' }; answer: never }
}

/** The name of a guest agent command that is used here. */
export type AgentCommand = keyof AgentCommands
