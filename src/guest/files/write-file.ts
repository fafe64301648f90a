import { randomBytes } from 'node:crypto'
import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import { type Channel, runProgram } from '../channel/channel.js'
import { fileError } from './file-error.js'

/** Bytes per command: other calls get their turn in between. */
const CHUNK = 2 ** 20

/**
 * Appends standard input to a file beside the target, and with the last part gives it the mode and
 * owner of what it replaces and renames it. Files of the kernel's own are written in place. The
 * arguments: target, a name, mode or nothing, `last` or nothing.
 */
const WRITE_PART = `
set -e
refuse() { echo "$1" >&2; exit 1; }
target=$1
links=0
while [ -L "$target" ]; do
  links=$((links + 1))
  [ $links -le 40 ] || refuse 'too many symbolic links'
  link=$(readlink "$target")
  case $link in /*) target=$link ;; *) target=\${target%/*}/$link ;; esac
done
[ ! -d "$target" ] || refuse 'it is a directory'
[ -d "\${target%/*}/" ] || refuse "there is no directory \${target%/*}"
case $target in
  /proc/* | /sys/* | /dev/*)
    [ "$4" = last ] || refuse 'a file of the kernel takes at most 1 MiB'
    cat >"$target"
    exit ;;
esac
temporary=\${target%/*}/$2
trap '[ $? -eq 0 ] || rm -f -- "$temporary"' EXIT
umask 077
cat >>"$temporary"
[ "$4" = last ] || exit 0
if [ -e "$target" ]; then
  chown "$(stat -c %u:%g -- "$target")" "$temporary"
  chmod "$(stat -c %a -- "$target")" "$temporary"
else
  chmod 644 "$temporary"
fi
if [ -n "$3" ]; then chmod "$3" "$temporary"; fi
mv -f -- "$temporary" "$target"
`

/** How a file in the guest is written. */
export interface WriteFileOptions {
  /** Permission bits, such as `0o755`; those of the file that is replaced, or `0o644`, by default. */
  mode?: number
}

/**
 * Checks permission bits.
 *
 * @throws VmStatesError `INVALID_VALUE`
 */
export function checkMode(mode: number | undefined): void {
  if (mode === undefined || (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777)) return
  const right = 'permission bits are a whole number up to 0o7777'
  throw new VmStatesError('INVALID_VALUE', `writeFile.options.mode is ${showValue(mode)}: ${right}`)
}

/**
 * Writes a file in the guest: beside its place, then renamed into it, so that no one sees a part of
 * it. Content of up to 1 MiB takes one command in the guest.
 *
 * @throws GuestError `GUEST_FILE_FAILED` if the file cannot be written; it is as it was then
 */
export async function writeFile(
  channel: Channel,
  path: string,
  data: Buffer,
  { mode }: WriteFileOptions = {},
): Promise<void> {
  const name = `.vm-states-${randomBytes(6).toString('hex')}`
  const octal = mode === undefined ? '' : mode.toString(8)
  let start = 0
  do {
    const input = data.subarray(start, start + CHUNK)
    start += CHUNK
    const last = start >= data.length ? 'last' : ''
    const arg = ['-c', WRITE_PART, 'sh', path, name, octal, last]
    const status = await runProgram(channel, { path: '/bin/sh', arg, input })
    if (status.exitCode !== 0) {
      const said = status.stderr.toString().trim()
      throw fileError('written', path, said || `exit code ${status.exitCode ?? status.signal}`)
    }
  } while (start < data.length)
}
