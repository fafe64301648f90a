import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeSshKey } from '../../../src/guest/ssh/ssh-key.js'
import { SshLink } from '../../../src/guest/ssh/ssh-link.js'
import { VmControl } from '../../../src/guest/vm-control.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'

/** Has a guest with an agent let in, over ssh, who has a key; whose the way is then. */
export async function letIn(process: MachineProcess): Promise<SshLink> {
  const store = await mkdtemp(join(tmpdir(), 'vms-ssh-key-'))
  const { privateKey, publicKey } = await storeSshKey(store)
  await rm(store, { recursive: true })
  const control = new VmControl({ machine: 'guest', liveness: 'live' })
  control.attach(process)
  await control.vm.$`mkdir -p -m 700 /root/.ssh; echo ${publicKey} >/root/.ssh/authorized_keys`
  await control.vm.$`if [ -x /usr/sbin/dropbear ]; then
    mkdir -p /etc/dropbear; dropbear -R -s -P /run/dropbear.pid
  fi`
  control.release('the guest lets in')
  return new SshLink(process, { user: 'root', privateKey, hostKey: undefined })
}
