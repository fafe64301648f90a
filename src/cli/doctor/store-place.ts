import { constants } from 'node:fs'
import {
  copyFile,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { formatSize } from '../../params/format-size.js'
import type { Finding } from './finding.js'

/** Less than this holds few states. */
const MIN_SPACE = 2 * 2 ** 30

const NETWORK =
  /^(nfs\d?|cifs|smb3|smbfs|9p|ceph|glusterfs|afs|virtiofs|fuse\.(sshfs|s3fs|glusterfs|rclone))$/

/** The place of the store: whether it can be written to, and what its filesystem can do. */
export async function checkStorePlace(store: string): Promise<Finding[]> {
  const place = await nearestExisting(store)
  const permission = await checkPermission(store, place)
  const findings = [permission, await checkSpace(place), await checkMount(place)]
  if (permission.status === 'ok') findings.push(await checkReflinks(place))
  return findings
}

async function nearestExisting(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  return exists || dirname(path) === path ? path : await nearestExisting(dirname(path))
}

async function checkPermission(store: string, place: string): Promise<Finding> {
  const name = 'store'
  // Tried rather than asked for: a user may be let in by mode and kept out by the filesystem.
  const failed = await inScratch(place, async () => undefined).catch(
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  )
  if (failed === undefined) {
    return { name, status: 'ok', found: place === store ? store : `${store} (not there yet)` }
  }
  return {
    name,
    status: 'problem',
    found: `nothing can be written in ${place} (${failed})`,
    mend: 'Choose another place: the option store in states.config.ts, or VM_STATES_STORE.',
  }
}

/** Calls `use` with a directory of its own in `place`. */
async function inScratch<Result>(
  place: string,
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(place, '.vm-states-doctor-'))
  try {
    return await use(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function checkSpace(place: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(place)
  const free = bavail * bsize
  const found = `${formatSize(free)} free`
  return free >= MIN_SPACE
    ? { name: 'disk space', status: 'ok', found }
    : {
        name: 'disk space',
        status: 'warning',
        found,
        mend: 'Free some space, or move the store with VM_STATES_STORE.',
      }
}

async function checkMount(place: string): Promise<Finding> {
  const { point, type } = await mountOf(place)
  const found = `${type} (mounted at ${point})`
  return NETWORK.test(type)
    ? {
        name: 'filesystem',
        status: 'warning',
        found: `${found}: a network filesystem, slow and with unreliable locks`,
        mend: 'Keep the store on a local disk: VM_STATES_STORE.',
      }
    : { name: 'filesystem', status: 'ok', found }
}

/** The mount that a path is on, as proc_pid_mountinfo(5) tells it. */
async function mountOf(path: string): Promise<{ point: string; type: string }> {
  const place = await realpath(path)
  let best = { point: '', type: 'unknown' }
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const point = (before.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    const holds = point === '/' || place === point || place.startsWith(`${point}/`)
    if (holds && point.length >= best.point.length) {
      best = { point, type: after.split(' ')[0] ?? 'unknown' }
    }
  }
  return best
}

async function checkReflinks(place: string): Promise<Finding> {
  const shares = await inScratch(place, async (directory) => {
    const file = join(directory, 'a')
    await writeFile(file, 'x'.repeat(4096))
    await copyFile(file, join(directory, 'b'), constants.COPYFILE_FICLONE_FORCE)
  }).then(
    () => true,
    () => false,
  )
  return {
    name: 'reflinks',
    status: 'ok',
    found: shares
      ? 'copies of live states share their blocks'
      : 'none: live states are copied byte by byte (btrfs and xfs share)',
  }
}
