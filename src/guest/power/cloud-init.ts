import { INSTANCE_PREFIX } from '../../params/cloud-init.js'
import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'
import { GuestError } from '../guest-error.js'

/** Milliseconds to read the result. */
const ASK_TIMEOUT = 30_000

/** How many lines of its log an error shows. */
const LOG_LINES = 20

/**
 * Waits until cloud-init has done what it was to do at this boot; a shell script, for after the init
 * system has settled, which with systemd is after cloud-init has ended. It leaves its result in a file as the
 * last thing that it does. Without a seed there is none, and nothing is waited for.
 */
export const AWAIT_CLOUD_INIT = `
if [ -e /run/cloud-init/enabled ]; then
  while [ ! -e /run/cloud-init/result.json ]; do sleep 0.3; done
  echo cloud-init
fi
`

/** Prints the instance's id, the result, and the end of what was printed meanwhile; a line of blanks between. */
const SHOW_RESULT = `
cat /run/cloud-init/.instance-id
printf '\\n\\n'
cat /run/cloud-init/result.json
printf '\\n\\n'
tail -n ${LOG_LINES} /var/log/cloud-init-output.log
`

/**
 * Requires that cloud-init has done all that the machine's definition says, if it does say something:
 * failures of a seed of the image's own are the image's business.
 *
 * @throws GuestError `GUEST_NOT_READY` with what failed and the end of cloud-init's log
 */
export async function requireCloudInit(
  channel: Channel,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = { timeout: ASK_TIMEOUT, signal, reject: false }
  const { stdout } = await exec(channel, '/bin/sh', ['-c', SHOW_RESULT], options)
  const [id = '', result = '', ...log] = stdout.toString().split(/\n\n+/)
  if (!id.startsWith(INSTANCE_PREFIX)) return
  const errors = errorsIn(result)
  if (errors.length === 0) return
  const problem = `the guest is not ready: cloud-init has failed (${errors.join('; ')})`
  throw new GuestError('GUEST_NOT_READY', problem, {
    hint: ['The end of /var/log/cloud-init-output.log:', ...log.join('\n').trim().split('\n')].join(
      '\n  ',
    ),
  })
}

function errorsIn(result: string): string[] {
  try {
    const { v1 } = JSON.parse(result) as { v1?: { errors?: unknown[] } }
    return (v1?.errors ?? []).map(String)
  } catch {
    return []
  }
}
