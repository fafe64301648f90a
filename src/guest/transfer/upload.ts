import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Channel } from '../channel/channel.js'
import { checkGuestPath } from '../exec/options.js'
import { fileError } from '../files/file-error.js'
import { hostError } from './host-error.js'
import { meter, runTransfer, type TransferOptions } from './run-transfer.js'

/** The name of what is uploaded in the archive. */
const CONTENT = 'content'

/**
 * Unpacks an archive beside its place, and gives what is in it its name: `$1` is the place, `$2` a name. A folder
 * that is there already gets the new one's content. GNU tar says that it wrote less, but not why; another write does.
 */
const UNPACK = `
refuse() { echo "$1" >&2; exit 1; }
target=$1
while [ "$target" != / ] && [ "$target" != "\${target%/}" ]; do target=\${target%/}; done
parent=\${target%/*}/
[ -d "$parent" ] || refuse "there is no directory $parent"
temporary=$parent$2
trap 'rm -rf -- "$temporary"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -- "$temporary"
tar -C "$temporary" -xpf - || { head -c 65536 /dev/zero >"$temporary/more"; exit 1; }
content=$temporary/${CONTENT}
if [ -d "$target" ]; then
  [ -d "$content" ] || refuse 'it is a directory'
  cp -a -- "$content/." "$target/"
else
  [ ! -d "$content" ] || [ ! -e "$target" ] || refuse 'it is a file'
  mv -f -- "$content" "$target"
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
  const source = resolve(from)
  await stat(source).catch((error: unknown) => {
    throw hostError(error, 'read', source)
  })
  const { default: tar } = await import('tar-fs')
  const name = basename(source)
  const archive = tar.pack(dirname(source), {
    entries: [name],
    map: (header) => {
      const path = CONTENT + header.name.slice(name.length)
      return { ...header, name: path, uid: 0, gid: 0, uname: '', gname: '' }
    },
  })
  const input = meter(options.onProgress)
  const packed = pipeline(archive, input).catch((error: unknown) => {
    throw hostError(error, 'read', source)
  })
  packed.catch(() => {})
  const unpacker = `.vm-states-${randomBytes(6).toString('hex')}`
  const program = { path: '/bin/sh', arg: ['-ec', UNPACK, 'sh', to, unpacker], input }
  const status = await runTransfer(channel, program, packed, 'upload', options)
  if (status.exitCode === 0) return
  const said = status.stderr.toString().trim()
  throw fileError('written', to, said || `exit code ${status.exitCode ?? status.signal}`)
}
