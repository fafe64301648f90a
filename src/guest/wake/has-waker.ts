import type { MachineProcess } from '../../qemu/machine/machine-process.js'

/** Whether a process of the guest has the waker's port open. */
export async function hasWaker({ qmp }: MachineProcess): Promise<boolean> {
  const channels = (await qmp.execute('query-chardev')) as {
    label: string
    'frontend-open': boolean
  }[]
  return channels.some((channel) => channel.label === 'wake' && channel['frontend-open'])
}
