import { z } from 'zod'
import { optionsSchema } from '../../params/options.js'
import { parse } from '../../params/parse.js'
import { pluggedId } from '../../qemu/machine/hot-plug-names.js'
import type { GuestAccess } from '../guest-access.js'
import type { GuestProcess } from '../guest-process.js'
import { AttachedDevice } from './attached-device.js'
import { freeName, inTurn, plugIntoPci } from './plug-in.js'

const MAC = 'a MAC address is six pairs of hexadecimal digits, such as "52:54:00:12:35:01"'

const optionsOfCard = optionsSchema({
  network: z.enum(['nat', 'isolated'], 'a network is "nat" or "isolated"').default('nat'),
  mac: z
    .string(MAC)
    .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i, MAC)
    .default('52:54:00:12:35:01'),
})

/** A network card for a running machine, with a user-mode network of its own. */
export type AttachNetworkOptions = z.input<typeof optionsOfCard>

/** Plugs a network card into a machine. */
export async function attachNetwork(
  access: GuestAccess,
  process: GuestProcess,
  options: AttachNetworkOptions,
): Promise<AttachedDevice> {
  const card = parse(optionsOfCard, options, 'attachNetwork')
  return await inTurn(process, () => attach(access, process, card))
}

async function attach(
  access: GuestAccess,
  process: GuestProcess,
  { network, mac }: z.output<typeof optionsOfCard>,
): Promise<AttachedDevice> {
  const { qmp } = process
  const name = await freeName(process, 'card')
  const [id, netdev] = [pluggedId(name), `${pluggedId(name)}-network`]
  process.isAltered = true
  const removeRest = async () => {
    await qmp.execute('netdev_del', { id: netdev })
  }
  await qmp.execute('netdev_add', { type: 'user', id: netdev, restrict: network === 'isolated' })
  try {
    await plugIntoPci(process, { driver: 'virtio-net-pci', netdev, id, mac, romfile: '' })
  } catch (error) {
    await removeRest()
    throw error
  }
  return new AttachedDevice(access, process, { name, id, removeRest })
}
