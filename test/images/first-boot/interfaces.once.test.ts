import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { interfaceTexts, SET_INTERFACE } from '../../../src/images/first-boot/interfaces.js'
import type { FirstBootInterface } from '../../../src/params/first-boot.js'
import { bootTiny, type TinyVm } from '../../guest/tiny-vm.js'

let tiny: TinyVm
let images = 0

beforeAll(async () => {
  tiny = await bootTiny()
  await tiny.vm.$`cp /bin/busybox /dev/busybox`
})
afterAll(() => tiny?.[Symbol.asyncDispose]())

/** A directory of the guest that has no more than programs of these names, which do nothing. */
async function imageWith(...programs: string[]): Promise<string> {
  const root = `/dev/shm/image${images++}`
  await tiny.vm.$`mkdir -p ${root}/dev && mount -o bind /dev ${root}/dev`
  for (const program of programs) {
    await tiny.vm.$`mkdir -p ${root}$(dirname ${program}) && cp /bin/busybox ${root}${program}`
  }
  return root
}

const setUp = (root: string, name: string, settings: FirstBootInterface) =>
  tiny.vm.exec(
    'chroot',
    [root, '/dev/busybox', 'sh', '-c', SET_INTERFACE, 'sh', ...interfaceTexts(name, settings)],
    { reject: false },
  )

/** All that is below /etc, by path. */
async function configuration(root: string): Promise<Record<string, string>> {
  const { stdout } = await tiny.vm.$`cd ${root}; find etc -type f | sort`
  const texts = stdout.split('\n').map(async (path) => {
    const { stdout: mode } = await tiny.vm.$`stat -c %a ${root}/${path}`
    return [`${mode} ${path}`, await tiny.vm.readFile(`${root}/${path}`)] as const
  })
  return Object.fromEntries(await Promise.all(texts))
}

const STATIC = { address: '10.0.0.2/20', gateway: '10.0.0.1' }

describe('an interface is set up by what the image has for it', () => {
  it('netplan, before all others', async () => {
    const root = await imageWith('/usr/sbin/netplan', '/usr/sbin/NetworkManager', '/sbin/ifup')
    await setUp(root, 'eth0', STATIC)
    await setUp(root, 'eth1', 'dhcp')
    const files = await configuration(root)
    expect(Object.keys(files)).toEqual([
      '600 etc/netplan/90-vm-states-eth0.yaml',
      '600 etc/netplan/90-vm-states-eth1.yaml',
    ])
    const [first, second] = Object.values(files).map((text) => JSON.parse(text).network.ethernets)
    expect(first).toEqual({
      eth0: {
        dhcp4: false,
        addresses: ['10.0.0.2/20'],
        routes: [{ to: '0.0.0.0/0', via: '10.0.0.1' }],
      },
    })
    expect(second).toEqual({ eth1: { dhcp4: true } })
  })

  it('NetworkManager, which only reads files that nobody else may', async () => {
    const root = await imageWith('/usr/sbin/NetworkManager', '/sbin/ifup')
    await setUp(root, 'eth0', STATIC)
    await setUp(root, 'eth1', 'dhcp')
    const [[path, first] = [], [, second] = []] = Object.entries(await configuration(root))
    expect(path).toBe('600 etc/NetworkManager/system-connections/vm-states-eth0.nmconnection')
    expect(first).toMatch(/interface-name=eth0\n[\s\S]*\[ipv4\]\nmethod=manual\n/)
    expect(first).toContain('address1=10.0.0.2/20,10.0.0.1\n')
    expect(second).toMatch(/\[ipv4\]\nmethod=auto\n$/)
  })

  it('ifupdown, in whose file the rest stays as it is', async () => {
    const root = await imageWith('/sbin/ifup', '/usr/lib/systemd/systemd-networkd')
    await tiny.vm.$`mkdir -p ${root}/etc/network`
    const before = `# a comment
source /etc/network/interfaces.d/*

auto lo eth0
iface lo inet loopback

allow-hotplug eth0
iface eth0 inet static
  address 192.0.2.1
iface eth10 inet dhcp
`
    await tiny.vm.writeFile(`${root}/etc/network/interfaces`, before)
    await setUp(root, 'eth0', STATIC)
    await setUp(root, 'eth1', 'dhcp')
    expect(await configuration(root)).toEqual({
      '644 etc/network/interfaces': `# a comment
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

iface eth10 inet dhcp

auto eth0
iface eth0 inet static
  address 10.0.0.2
  netmask 255.255.240.0
  gateway 10.0.0.1

auto eth1
iface eth1 inet dhcp
`,
    })
  })

  it('ifupdown, which gets a file where it has none', async () => {
    const root = await imageWith('/sbin/ifup')
    await setUp(root, 'eth0', 'dhcp')
    expect(Object.values(await configuration(root))).toEqual([
      'auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n',
    ])
  })

  it('or by nothing, which is an error that says what to do', async () => {
    const { exitCode, stderr } = await setUp(await imageWith(), 'eth0', 'dhcp')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('no netplan, NetworkManager, ifupdown or systemd-networkd')
    expect(stderr).toContain('"files"')
  })
})
