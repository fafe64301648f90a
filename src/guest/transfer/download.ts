import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Channel } from '../channel/channel.js'
import { checkGuestPath } from '../exec/options.js'
import { fileError } from '../files/file-error.js'
import { hostError } from './host-error.js'
import { moveInto } from './move-into.js'
import { checkTransfer, meter, runTransfer, type TransferOptions } from './run-transfer.js'
import { Unpacker } from './unpack.js'

/** The name of what is downloaded in the directory that it is unpacked into. */
const CONTENT = 'content'

/**
 * Packs what is at `$1`, or where a symbolic link there leads to. GNU tar ends with 1 where a file changed while it was
 * read, as logs do.
 */
const PACK = `
path=$(readlink -f -- "$1") && [ -e "$path" ] || { echo 'No such file or directory' >&2; exit 1; }
[ "$path" != / ] || { echo 'the root directory cannot be copied as a whole: name what is in it' >&2; exit 1; }
parent=\${path%/*}
tar -C "\${parent:-/}" -cf - -- "\${path##*/}"
status=$?
case $status-$(tar --version 2>/dev/null) in 1-*GNU*) exit 0 ;; esac
exit $status
`

/**
 * Copies a file or a folder of the guest to the host, with permissions and symbolic links: beside its place
 * first, then renamed into it. A folder that is there already gets the new one's content.
 *
 * @throws GuestError `GUEST_FILE_FAILED`; VmStatesError `HOST_FILE_FAILED`, `TIMEOUT`, `ABORTED`
 */
export async function download(
  channel: Channel,
  from: string,
  to: string,
  options: TransferOptions,
): Promise<void> {
  checkGuestPath('download.from', from)
  checkTransfer('download', options)
  const target = resolve(to)
  const failed = (error: unknown): never => {
    throw hostError(error, 'written', target)
  }
  const directory = await mkdtemp(join(dirname(target), '.vm-states-')).catch(failed)
  try {
    const stdout = meter(options.onProgress)
    const unpacker = new Unpacker(directory, CONTENT)
    const host = pipeline(stdout, await unpacker.stream()).catch(failed)
    host.catch(() => {})
    const program = { path: '/bin/sh', arg: ['-c', PACK, 'sh', from], stdout }
    const status = await runTransfer(channel, { what: 'download', program, host }, options)
    if (status.exitCode !== 0) {
      const said = status.stderr.toString().trim()
      throw fileError('read', from, said || `exit code ${status.exitCode ?? status.signal}`)
    }
    if (unpacker.refusal !== undefined) throw fileError('read', from, unpacker.refusal)
    await moveInto(target, join(directory, CONTENT), unpacker.modes).catch(failed)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
