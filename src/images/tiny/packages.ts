import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Architecture } from '../../params/architecture.js'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { runTool } from '../run-tool.js'
import { PLATFORMS } from './platform.js'

/** What the host that builds the guest is. */
const HOST: Architecture = 'x86_64'

/** Kernels in order of preference: small ones for virtual machines first. */
function kernelPackages(arch: Architecture): string[] {
  const { debian } = PLATFORMS[arch]
  return [
    `linux-image-cloud-${debian}`,
    'linux-image-virtual',
    'linux-image-kvm',
    'linux-image-generic',
    `linux-image-${debian}`,
  ]
}

const PROGRAM_PACKAGES = ['busybox-static', 'qemu-guest-agent', 'perl-base']

/** The guest is without what of these the distribution has not got. */
const OPTIONAL_PACKAGES = ['dropbear-bin']

/** What is needed of the packages that the chosen ones depend on. */
const WANTED = /^(?:lib|zlib1g$|linux-image-\d|linux-image-unsigned-\d|linux-modules-\d)/
const UNWANTED = /^(?:linux-modules-extra-|lib.*-perl$|libperl)/

/** Only signed indexes and matching hashes, whatever the host's apt is set to. */
const STRICT = [
  '-qq',
  '-o',
  'APT::Get::AllowUnauthenticated=false',
  '-o',
  'Acquire::AllowInsecureRepositories=false',
]

interface Context {
  signal: AbortSignal | undefined
  /** Options that make apt use lists and caches of our own. */
  options: readonly string[]
}

const apt = (
  tool: 'apt-get' | 'apt-cache',
  args: readonly string[],
  context: Context,
  cwd?: string,
) =>
  runTool(tool, [...STRICT, ...context.options, ...args], {
    signal: context.signal,
    ...(cwd === undefined ? {} : { cwd }),
  })

/** The packages to download: the first kernel that is known, the programs, and their libraries. */
async function choosePackages(arch: Architecture, context: Context): Promise<string[]> {
  const known = (await apt('apt-cache', ['pkgnames'], context)).split('\n')
  const names = new Set(known)
  const kernel = kernelPackages(arch).find((name) => names.has(name))
  const missing = PROGRAM_PACKAGES.filter((name) => !names.has(name))
  if (kernel === undefined || missing.length > 0) {
    const what = kernel === undefined ? ['a Linux kernel', ...missing] : missing
    throw new VmStatesError('TINY_UNAVAILABLE', `apt knows no package for ${what.join(', ')}`)
  }
  const programs = [...PROGRAM_PACKAGES, ...OPTIONAL_PACKAGES.filter((name) => names.has(name))]
  const roots = [kernel, ...programs]
  const output = await apt('apt-cache', ['depends', '--important', '--recurse', ...roots], context)
  const reached = output.split('\n').filter((line) => /^[a-z0-9]/.test(line))
  const wanted = reached.filter((name) => WANTED.test(name) && !UNWANTED.test(name))
  return [...programs, ...wanted.filter((name) => names.has(name))]
}

async function download(
  directory: string,
  { arch, only }: WantedPackages,
  context: Context,
): Promise<string[]> {
  const packages = only ?? (await choosePackages(arch, context))
  await apt('apt-get', ['download', ...packages], context, directory)
  const files = (await readdir(directory)).filter((name) => name.endsWith('.deb'))
  if (files.length >= packages.length) return files.map((name) => join(directory, name))
  // apt 2.6 ends well, without a file, where the directory's path has some 600 characters.
  const message = `apt-get left ${files.length} of ${packages.length} packages in ${directory}`
  throw new VmStatesError('TINY_UNAVAILABLE', message, {
    hint: 'If that path is very long, use a store with a shorter one.',
  })
}

/** Whether this host can get packages for the guest at all, which is told in one line. */
async function requireApt(signal: AbortSignal | undefined): Promise<void> {
  const hint = 'Use image.file() or image.url() with an image of your own instead.'
  if (process.arch !== 'x64') {
    const message = `image.tiny() is for x86-64 hosts, and this one is ${process.arch}`
    throw new VmStatesError('TINY_UNAVAILABLE', message, { hint })
  }
  try {
    for (const tool of ['apt-get', 'dpkg-deb']) await runTool(tool, ['--version'], { signal })
  } catch (cause) {
    if (!isVmStatesError(cause, 'TOOL_MISSING')) throw cause
    const message = 'image.tiny() is built from packages of Debian or Ubuntu; this host has no apt'
    throw new VmStatesError('TINY_UNAVAILABLE', message, { hint, cause })
  }
}

/** Options for package lists that an ordinary user can update, apart from the system's. */
async function privateLists(directory: string, arch: Architecture): Promise<string[]> {
  const state = join(directory, 'state')
  const cache = join(directory, 'cache')
  await mkdir(join(state, 'lists', 'partial'), { recursive: true })
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true })
  const places = {
    'Dir::State': state,
    'Dir::State::lists': join(state, 'lists'),
    'Dir::Cache': cache,
    'Dir::Cache::archives': join(cache, 'archives'),
  }
  const foreign = {
    'Dir::State::status': '/dev/null',
    'APT::Architecture': PLATFORMS[arch].debian,
    'APT::Architectures': PLATFORMS[arch].debian,
  }
  const settings = { ...places, ...(arch !== HOST && foreign) }
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

/** Which packages are downloaded. */
export interface WantedPackages {
  arch: Architecture
  /** Their names, unless it is all that the guest is made of. */
  only?: readonly string[]
}

/**
 * Downloads the packages that the tiny guest is made of, without installing them. The host's package
 * lists are used as they are; if they are missing, out of date or of another architecture, own lists are fetched
 * from the host's package sources. apt checks signatures and hashes.
 *
 * @param directory - an existing empty directory; the packages go to `packages` in it
 * @returns paths of the `.deb` files
 * @throws VmStatesError `TINY_UNAVAILABLE` on hosts without apt, or whose sources have no such packages
 */
export async function downloadPackages(
  directory: string,
  wanted: WantedPackages,
  signal: AbortSignal | undefined,
  onProgress: (message: string) => void,
): Promise<string[]> {
  await requireApt(signal)
  const packages = join(directory, 'packages')
  await mkdir(packages)
  // As root, apt would download as the user _apt, who cannot write here.
  const options = ['-o', 'APT::Sandbox::User=root', '-o', `Dir::Cache::pkgcache=`]
  const activity = 'downloading packages of the tiny guest'
  if (wanted.arch === HOST) {
    try {
      onProgress(activity)
      return await download(packages, wanted, { signal, options })
    } catch (error) {
      if (isVmStatesError(error, 'ABORTED')) throw error
    }
  }
  onProgress('fetching package lists')
  const own = [...options, ...(await privateLists(directory, wanted.arch))]
  // One broken source of many is no harm as long as the others have the packages.
  const problem: unknown = await apt('apt-get', ['update'], { signal, options: own }).then(
    () => undefined,
    (reason) => reason,
  )
  onProgress(activity)
  return await download(packages, wanted, { signal, options: own }).catch((reason) => {
    throw problem ?? reason
  })
}

/**
 * Downloads the busybox of this host, which tells what that of the guest can be called as.
 *
 * @returns as {@link downloadPackages}; undefined where the guest's own is one that this host runs
 */
export async function downloadHostBusybox(
  directory: string,
  arch: Architecture,
  signal: AbortSignal | undefined,
  onProgress: (message: string) => void,
): Promise<string[] | undefined> {
  if (arch === HOST) return undefined
  await mkdir(directory)
  const wanted = { arch: HOST, only: ['busybox-static'] }
  return await downloadPackages(directory, wanted, signal, onProgress)
}
