import { VmStatesError } from '../../params/errors.js'
import { stateNameSchema } from '../../params/names.js'
import { FIRST_VNC_PORT } from '../../qemu/machine/vnc-port.js'
import { looksLikeImage } from '../targets/target.js'
import type { SshLogin } from './ssh-session.js'

/** The flags of `states run` as commander gives them. */
export interface RunFlags {
  machine?: string
  shell?: boolean
  exec?: string
  ssh?: string | boolean
  identity?: string
  vnc?: string | boolean
  forward?: readonly string[]
  keep?: readonly string[]
  json?: boolean
}

/** A port of the host that is to lead to one of a machine. */
export interface WantedForward {
  /** The member of an environment; the one that is looked at, where none is named. */
  member: string | undefined
  /** 0 for a free one. */
  hostPort: number
  guestPort: number
}

/** What becomes of the changes at the end; all that is not named is thrown away. */
export interface KeepOptions {
  /** The path of an overlay that the guest's disks are left in, once it has shut down. */
  overlay: string | undefined
  /** The name of a live state. */
  state: string | undefined
}

/** What a user wants of `states run`. */
export interface RunOptions {
  member: string | undefined
  mode: 'console' | 'shell' | 'exec' | 'ssh'
  command: string | undefined
  ssh: SshLogin | undefined
  /** 0 for a free port. */
  vncPort: number | undefined
  forwards: readonly WantedForward[]
  keep: KeepOptions
  json: boolean
}

const FORWARD =
  /^(?:(?<member>(?!\d+:)[A-Za-z0-9][A-Za-z0-9_-]*):)?(?:(?<host>\d{0,5}):)?(?<guest>\d{1,5})$/
const STATE_NAME = /^(?:kept\/)?(?<name>[A-Za-z0-9][A-Za-z0-9._-]{0,99})$/

/** @throws VmStatesError `USAGE` for what is not understood, or does not go together */
export function parseRunOptions(flags: RunFlags): RunOptions {
  const { machine, exec, vnc, forward = [], keep = [], json = false } = flags
  return {
    member: machine,
    mode: parseMode(flags),
    command: exec,
    ssh: parseLogin(flags),
    vncPort: vnc === undefined || vnc === false ? undefined : parseVncPort(vnc),
    forwards: forward.map(parseForward),
    keep: parseKeep(keep),
    json,
  }
}

function parseMode({ shell = false, exec, ssh = false }: RunFlags): RunOptions['mode'] {
  const ways = [
    ...(shell ? (['shell'] as const) : []),
    ...(exec !== undefined ? (['exec'] as const) : []),
    ...(ssh !== false ? (['ssh'] as const) : []),
  ]
  const [way = 'console', other] = ways
  if (other === undefined) return way
  throw usage(`--${way} and --${other} do not go together`)
}

function parseLogin({ ssh = false, identity }: RunFlags): SshLogin | undefined {
  if (ssh === false) {
    if (identity === undefined) return undefined
    throw usage('--identity goes with --ssh')
  }
  const user = ssh === true ? undefined : ssh
  if (user === undefined || /^[a-z_][a-z0-9_.-]*$/i.test(user)) return { user, identity }
  throw usage(`--ssh is ${JSON.stringify(user)}, not the name of a user`)
}

function parseVncPort(text: string | true): number {
  if (text === true) return 0
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= FIRST_VNC_PORT && port <= 65_535) return port
  throw usage(
    `--vnc is ${JSON.stringify(text)}, not a port from ${FIRST_VNC_PORT} to 65535`,
    'Without a port, it takes a free one.',
  )
}

function parseForward(text: string): WantedForward {
  const { member, host = '', guest } = FORWARD.exec(text)?.groups ?? {}
  const [hostPort, guestPort] = [Number(host), Number(guest)]
  if (guest !== undefined && hostPort <= 65_535 && guestPort >= 1 && guestPort <= 65_535) {
    return { member, hostPort, guestPort }
  }
  throw usage(
    `--forward is ${JSON.stringify(text)}, not HOST:GUEST`,
    'Two ports, as in 8080:80; only that of the guest for a free port of the host, as in 80; and the machine of an environment, as in server:8080:80.',
  )
}

function parseKeep(texts: readonly string[]): KeepOptions {
  const keep: KeepOptions = { overlay: undefined, state: undefined }
  for (const text of texts) {
    const [what, value] = splitOnce(text)
    if (what === 'overlay' && value !== '') keep.overlay = value
    else if (what === 'state') keep.state = parseStateName(value)
    else {
      const hint = 'It takes overlay=FILE.qcow2 or state=NAME.'
      throw usage(`--keep is ${JSON.stringify(text)}`, hint)
    }
  }
  if (keep.overlay === undefined || keep.state === undefined) return keep
  throw usage('--keep takes an overlay or a state, not both: one is of a guest that is off')
}

function parseStateName(text: string): string {
  const name = STATE_NAME.exec(text)?.groups?.name ?? ''
  const isName = stateNameSchema.safeParse(name).success && !looksLikeImage(name)
  if (isName) return name
  throw usage(
    `--keep state=${text} is no name for a state`,
    'At most 100 letters, digits, ".", "_", "-", the first a letter or digit; not all digits, not root or boot, and no file of an image.',
  )
}

function splitOnce(text: string): [string, string] {
  const index = text.indexOf('=')
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function usage(message: string, hint = 'See: states run --help'): VmStatesError {
  return new VmStatesError('USAGE', message, { hint })
}
