import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { newNonce } from '../../store/names.js'
import type { Program, ProgramStatus } from '../channel/channel.js'
import type { GuestProcess } from '../guest-process.js'
import { addDataPort, type DataPort } from './data-port.js'
import { Trailer } from './trailer.js'

/**
 * Runs a program with its standard streams tied to ports, by their names in `$1` to `$3`; what has none
 * stays the agent's. In between are pipes, since a program may open its `/dev/stderr` anew, and a port
 * only once; what writes them is no child of its own, which it might wait for. The agent does not take the program for ended before all is written: what writes holds the
 * agent's end of stderr. Written is not yet read by QEMU, and what is not is lost with the port: a mark,
 * `$4`, comes last. Where the program is not even started, the agent is told why, and the mark.
 */
const STREAM = `
mark=$4
refuse() { printf %s "$mark" >&2; exit 126; }
find_port() {
  tries=0
  while [ $tries -lt 100 ]; do
    for found in /sys/class/virtio-ports/*; do
      read -r name 2>/dev/null <"$found/name"
      port=/dev/\${found##*/}
      [ "$name" = "$1" ] && [ -c "$port" ] && return
    done
    tries=$((tries + 1))
    sleep 0.1
  done
  echo "the guest has no port $1: its kernel needs virtio_console, and /dev its devices" >&2
  refuse
}
pipes=$(mktemp -d -p /run 2>/dev/null || mktemp -d) || refuse
mkfifo -m 666 "$pipes/0" "$pipes/1" "$pipes/2" || { rm -r "$pipes"; refuse; }
if [ -n "$1" ]; then find_port "$1"; (cat <"$port" >"$pipes/0" 2>/dev/null &); exec <"$pipes/0"; fi
if [ -n "$2" ]; then find_port "$2"; ({ cat <"$pipes/1"; printf %s "$4"; } >"$port" &); exec >"$pipes/1"; fi
if [ -n "$3" ]; then find_port "$3"; ({ cat <"$pipes/2"; printf %s "$4"; } >"$port" &); exec 2>"$pipes/2"; fi
rm -r "$pipes"
shift 4
exec "$@"
`

/** A program whose streams go through ports. */
export interface StreamedProgram {
  /** What the agent has to start in its stead. */
  program: { path: string; arg: readonly string[]; input?: Buffer | undefined }
  /**
   * Until all that the program printed has come, once it has ended by itself.
   *
   * @param status - what the agent says of it
   * @returns the status; of a program that could not be started, with why
   */
  complete(status: ProgramStatus): Promise<ProgramStatus>
  /** When what came has been handed on; after {@link close}. */
  drained: Promise<void>
  /** Takes the ports away. Never rejects, and may be called again. */
  close(): Promise<void>
}

/**
 * Plugs in the ports that a program's streams need.
 *
 * @throws VmStatesError `QMP_COMMAND_FAILED`, `QMP_CONNECTION_LOST`, `TIMEOUT`
 */
export async function streamProgram(
  process: GuestProcess,
  { path, arg, input, stdout, stderr }: Program,
): Promise<StreamedProgram> {
  const ports: DataPort[] = []
  const close = async () => {
    await Promise.all(ports.map((port) => port.remove()))
  }
  const open = async () => {
    const port = await addDataPort(process)
    ports.push(port)
    return port
  }
  const mark = newNonce()
  const told = Buffer.from(mark)
  const trailers: Trailer[] = []
  const drain = async (sink: Writable | undefined) => {
    if (sink === undefined) return { name: '', drained: undefined }
    const { name, socket } = await open()
    const trailer = new Trailer(mark)
    trailers.push(trailer)
    return { name, drained: pipeline(socket, trailer, sink) }
  }
  try {
    const isStream = input !== undefined && !Buffer.isBuffer(input)
    const from = isStream ? await open() : undefined
    const [out, err] = [await drain(stdout), await drain(stderr)]
    if (isStream && from !== undefined) {
      // A program may end without having read all.
      pipeline(input, from.socket).catch(() => {})
      from.socket.resume()
    }
    const names = [from?.name ?? '', out.name, err.name]
    const drained = Promise.all([out.drained, err.drained]).then(() => {})
    drained.catch(() => {}) // whoever awaits it hears of it; no one may be left to
    return {
      program: {
        path: '/bin/sh',
        arg: ['-c', STREAM, 'sh', ...names, mark, path, ...arg],
        ...(!isStream && { input: input as Buffer | undefined }),
      },
      complete: async (status) => {
        const end = status.stderr.length - mark.length
        if (status.exitCode === 126 && status.stderr.subarray(Math.max(0, end)).equals(told)) {
          return { ...status, stderr: status.stderr.subarray(0, end) }
        }
        await Promise.all(trailers.map(({ come }) => come))
        return status
      },
      drained,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
