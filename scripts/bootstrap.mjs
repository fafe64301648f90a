// Installs what is missing, in plain Node since nothing else may be there yet.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What the tests and the demo run, and the Debian or Ubuntu package that has it. */
const tools = [
  { binary: 'qemu-system-x86_64', debian: 'qemu-system-x86' },
  { binary: 'qemu-img', debian: 'qemu-utils' },
  { binary: 'mke2fs', debian: 'e2fsprogs' },
  { binary: 'mkfs.xfs', debian: 'xfsprogs' },
  { binary: 'mkfs.btrfs', debian: 'btrfs-progs' },
  { binary: 'setpriv', debian: 'util-linux' },
  { binary: 'dpkg-deb', debian: 'dpkg' },
  { binary: 'xz', debian: 'xz-utils' },
  { binary: 'mmdebstrap', debian: 'mmdebstrap' },
  { binary: 'fakechroot', debian: 'fakechroot' },
  { binary: 'fakeroot', debian: 'fakeroot' },
  { binary: 'chromium', debian: 'chromium' },
  { binary: 'ssh', debian: 'openssh-client' },
  { binary: 'swtpm', debian: 'swtpm' },
  { binary: 'qemu-system-aarch64', debian: 'qemu-system-arm' },
]

/** What `npm run bench` runs besides. */
const benchTools = [
  { binary: 'libvirtd', debian: 'libvirt-daemon libvirt-daemon-driver-qemu' },
  { binary: 'virsh', debian: 'libvirt-clients' },
]

/** UEFI firmware is no program: a directory of Debian's, Fedora's or Arch's package. */
const firmwares = [
  {
    binary: 'OVMF',
    debian: 'ovmf',
    directories: ['/usr/share/OVMF', '/usr/share/edk2/ovmf', '/usr/share/edk2/x64'],
  },
  {
    binary: 'AAVMF',
    debian: 'qemu-efi-aarch64',
    directories: ['/usr/share/AAVMF', '/usr/share/edk2/aarch64'],
  },
]

const APT_LISTS = '/var/lib/apt/lists'

function fail(...lines) {
  for (const line of lines) console.error(`bootstrap: ${line}`)
  process.exit(1)
}

function run(command, args, environment) {
  console.log(`bootstrap: ${command} ${args.join(' ')}`)
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  })
  if (error) console.error(`bootstrap: ${error.message}`)
  return status === 0
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(
      `Node ${process.versions.node} is too old: 20.19 or newer is needed, see https://nodejs.org`,
    )
  }
}

function isInstalled(binary) {
  const directories = [...(process.env.PATH || '').split(delimiter), '/usr/sbin', '/sbin']
  return directories.some((directory) => {
    try {
      accessSync(join(directory, binary), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function installTools() {
  const wanted = process.argv.includes('bench') ? [...tools, ...benchTools] : tools
  const missing = wanted.filter(({ binary }) => !isInstalled(binary))
  const isThere = ({ directories }) => directories.some((directory) => existsSync(directory))
  missing.push(...firmwares.filter((firmware) => !isThere(firmware)))
  if (missing.length === 0) return
  console.log(`bootstrap: missing: ${missing.map(({ binary }) => binary).join(', ')}`)
  if (!isInstalled('apt-get')) {
    fail('there is no apt-get here: install these by the means of your system, then run again')
  }
  const install = ['install', '--yes', '--no-install-recommends']
  install.push(...missing.flatMap(({ debian }) => debian.split(' ')))
  if (process.getuid() !== 0) {
    fail(
      'run this, then run again:',
      `  sudo sh -c 'apt-get update && apt-get ${install.join(' ')}'`,
    )
  }
  const apt = (args) => run('apt-get', args, { DEBIAN_FRONTEND: 'noninteractive' })
  const hasLists =
    existsSync(APT_LISTS) && readdirSync(APT_LISTS).some((name) => name.includes('_Packages'))
  if (hasLists && apt(install)) return
  if (!apt(['update']) || !apt(install)) fail('apt-get failed, see above')
}

function installModules() {
  const installed = join(root, 'node_modules/.package-lock.json')
  const wanted = join(root, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return
  if (!run('npm', ['ci', '--no-audit', '--no-fund'])) fail('npm ci failed, see above')
}

checkNode()
installTools()
installModules()
