// node scripts/campaigns/interfaces.mjs
//
// Has network interfaces of Debian set up by systemd-networkd, ifupdown, NetworkManager and netplan: the first by
// firstBoot of a machine; the others, whose packages the guest fetches, by the same script in the guest, which boots
// anew then. Ends with 1 where the guest has another address than it was to have.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { machine } = await jiti.import('../../src/states/definitions/machine.ts')
const { Context } = await jiti.import('../../src/states/graph/context.ts')
const { openMachines } = await jiti.import('../../src/states/machines/machines-in-hand.ts')
const { interfaceTexts, SET_INTERFACE } = await jiti.import(
  '../../src/images/first-boot/interfaces.ts',
)
const { debianImage } = await jiti.import('../../test/support/debian/image.ts')

/** What QEMU's user-mode network takes besides the address that it would give. */
const STATIC = { address: '10.0.2.77/24', gateway: '10.0.2.2' }

const OTHERS = {
  ifupdown: 'ifupdown',
  NetworkManager: 'network-manager',
  netplan: 'netplan.io',
}

const directory = await mkdtemp(join(tmpdir(), 'vms-interfaces-'))
const context = await Context.open({ store: join(directory, 'store'), label: 'campaign' })

async function withGuest(firstBoot, use) {
  const options = { image: await debianImage(), boot: 'cold', memory: '512 MiB' }
  const definition = machine('debian', { ...options, readyTimeout: 600_000, ...firstBoot })
  const opened = await openMachines(definition.root, context)
  try {
    await use(opened.handle())
  } finally {
    await opened.close()
  }
}

async function tell(system, vm) {
  const address = await vm.ip({ timeout: 120_000 })
  const { stdout } = await vm.$`ip route show default`
  console.log(`${system}: ${address}, ${stdout}`)
  if (address !== '10.0.2.77' || !stdout.includes('via 10.0.2.2')) process.exitCode = 1
}

try {
  let card = ''
  await withGuest({}, async (vm) => {
    card = (await vm.$`cd /sys/class/net; echo e*`).stdout
  })
  console.log(`its card is ${card}`)
  await withGuest({ firstBoot: { interfaces: { [card]: STATIC } } }, (vm) =>
    tell('systemd-networkd', vm),
  )
  for (const [system, name] of Object.entries(OTHERS)) {
    await withGuest({}, async (vm) => {
      await vm.shell(
        `export DEBIAN_FRONTEND=noninteractive
         apt-get -qq update && apt-get -qq install -y ${name} busybox-static >/dev/null
         cp /bin/busybox /dev/busybox`,
      )
      if (system !== 'netplan') await vm.$`systemctl disable systemd-networkd 2>&1`
      // The image's own says DHCP for every card.
      await vm.$`rm /etc/systemd/network/20-dhcp.network`
      const texts = interfaceTexts(card, STATIC)
      await vm.exec('/dev/busybox', ['sh', '-c', SET_INTERFACE, 'sh', ...texts])
      await vm.reboot({ timeout: 600_000 })
      await tell(system, vm)
    })
  }
} finally {
  await context.close()
  await rm(directory, { recursive: true, force: true })
}
