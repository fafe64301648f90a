import { randomBytes } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Channel } from '../channel/channel.js'
import { checkGuestPath } from '../exec/options.js'
import { fileError } from '../files/file-error.js'
import { hostError } from './host-error.js'
import { checkTransfer, meter, runTransfer, type TransferOptions } from './run-transfer.js'

/** The name of what is uploaded in the archive. */
const CONTENT = 'content'

/**
 * Unpacks an archive beside its place, and gives what is in it its name: `$1` is the place, `$2` the directory that it
 * stands in, `$3` one in there for what is not complete. A folder that is there already, or comes to be meanwhile, gets
 * the new one's content, and keeps its own mode. GNU tar says that it wrote less, but not why; another write does.
 */
const UNPACK = `
refuse() { echo "$1" >&2; exit 1; }
target=$1
temporary=$3
[ -d "$2" ] || refuse "there is no directory $2"
trap 'chmod -R u+rwX -- "$temporary" 2>/dev/null; rm -rf -- "$temporary" || :' EXIT
trap 'exit 1' HUP INT TERM
mkdir -- "$temporary"
tar -C "$temporary" -xpf - || { head -c 65536 /dev/zero >"$temporary/more"; exit 1; }
content=$temporary/${CONTENT}
if [ ! -d "$content" ]; then
  [ ! -d "$target" ] || refuse 'it is a directory'
  mv -f -- "$content" "$target"
elif [ -d "$target" ]; then
  cd -- "$content"
  for each in * .[!.]* ..?*; do
    [ ! -e "$each" ] && [ ! -L "$each" ] || cp -af -- "./$each" "$target/"
  done
else
  [ ! -e "$target" ] || refuse 'it is a file'
  mv -T -- "$content" "$target" 2>/dev/null || { mkdir -p -- "$target" && cp -af -- "$content/." "$target/"; }
fi
`

/**
 * Copies a file or a folder of the host into the guest, with permissions and symbolic links; everything
 * belongs to the user of the channel.
 *
 * @throws GuestError `GUEST_FILE_FAILED`; VmStatesError `HOST_FILE_FAILED`, `TIMEOUT`, `ABORTED`
 */
export async function upload(
  channel: Channel,
  from: string,
  to: string,
  options: TransferOptions,
): Promise<void> {
  checkGuestPath('upload.to', to)
  checkTransfer('upload', options)
  const failed = (path: string) => (error: unknown) => {
    throw hostError(error, 'read', path)
  }
  const named = resolve(from)
  const source = await realpath(named).catch(failed(named))
  const { default: tar } = await import('tar-fs')
  const name = basename(source)
  const archive = tar.pack(dirname(source), {
    entries: [name],
    // Its types do not know of it.
    ...{ umask: 0 },
    map: (header) => {
      const path = CONTENT + header.name.slice(name.length)
      return { ...header, name: path, uid: 0, gid: 0, uname: '', gname: '' }
    },
  })
  const input = meter(options.onProgress)
  const host = pipeline(archive, input).catch(failed(source))
  host.catch(() => {})
  const target = to.replace(/(.)\/+$/, '$1')
  const parent = target.slice(0, target.lastIndexOf('/') + 1)
  const temporary = `${parent}.vm-states-${randomBytes(6).toString('hex')}`
  const transfer = {
    what: 'upload',
    program: { path: '/bin/sh', arg: ['-ec', UNPACK, 'sh', target, parent, temporary], input },
    host,
    undo: {
      path: '/bin/sh',
      arg: ['-c', 'chmod -R u+rwX -- "$1"; rm -rf -- "$1"', 'sh', temporary],
    },
  }
  const status = await runTransfer(channel, transfer, options)
  if (status.exitCode === 0) return
  const said = status.stderr.toString().trim()
  throw fileError('written', to, said || `exit code ${status.exitCode ?? status.signal}`)
}
