import { cp, lstat, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Channel } from '../channel/channel.js'
import { checkGuestPath } from '../exec/options.js'
import { fileError } from '../files/file-error.js'
import { hostError } from './host-error.js'
import { meter, runTransfer, type TransferOptions } from './run-transfer.js'

/** The name of what is downloaded in the directory that it is unpacked into. */
const CONTENT = 'content'

/** Packs what is at `$1`, or where a symbolic link there leads to. */
const PACK = `
path=$(readlink -f -- "$1") && [ -e "$path" ] || { echo 'No such file or directory' >&2; exit 1; }
parent=\${path%/*}
exec tar -C "\${parent:-/}" -cf - -- "\${path##*/}"
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
  const target = resolve(to)
  const failed = (error: unknown): never => {
    throw hostError(error, 'written', target)
  }
  const directory = await mkdtemp(join(dirname(target), '.vm-states-')).catch(failed)
  try {
    const { default: tar } = await import('tar-fs')
    const stdout = meter(options.onProgress)
    // Links may lead anywhere in the guest; nothing is written through them.
    const unpack = tar.extract(directory, {
      ...{ chown: false, validateSymlinks: false },
      map: (header) => ({
        ...header,
        name: renamed(header.name),
        // Of a hard link; a symbolic one stays as it is.
        ...(header.type === 'link' && { linkname: renamed(linkOf(header)) }),
      }),
    })
    const unpacked = pipeline(stdout, unpack).catch(failed)
    unpacked.catch(() => {})
    const program = { path: '/bin/sh', arg: ['-c', PACK, 'sh', from], stdout }
    const status = await runTransfer(channel, program, unpacked, 'download', options)
    if (status.exitCode !== 0) {
      const said = status.stderr.toString().trim()
      throw fileError('read', from, said || `exit code ${status.exitCode ?? status.signal}`)
    }
    await moveInto(target, join(directory, CONTENT)).catch(failed)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** What a hard link leads to, of which the types of tar-fs do not tell. */
function linkOf(header: object): string {
  return 'linkname' in header ? String(header.linkname) : ''
}

/** The path of something in the archive, whose first part is the name that it has in the guest. */
function renamed(path: string): string {
  const [, ...rest] = path.split('/').filter((part) => part !== '.')
  return [CONTENT, ...rest].join('/')
}

async function moveInto(target: string, content: string): Promise<void> {
  const isDirectory = async (path: string) =>
    (await lstat(path).catch(() => undefined))?.isDirectory() ?? false
  if ((await isDirectory(content)) && (await isDirectory(target))) {
    await cp(content, target, { recursive: true, verbatimSymlinks: true, force: true })
  } else {
    await rename(content, target)
  }
}
