/** What the ids of devices begin with that were plugged in while their machine ran. */
const PLUGGED = 'plugged-'

/** What the ids of root ports begin with that are free for such devices. */
const PORT = 'hotplug-port'

/** The id of a device that is plugged into a running machine. */
export function pluggedId(name: string): string {
  return `${PLUGGED}${name}`
}

/** Whether a device has come while its machine ran. */
export function isPlugged(id: string): boolean {
  return id.startsWith(PLUGGED)
}

/** The id of a machine's root port for devices that come while it runs. */
export function hotPlugPort(index: number): string {
  return `${PORT}${index}`
}

/** Whether a device is a root port for devices that come while the machine runs. */
export function isHotPlugPort(id: string): boolean {
  return id.startsWith(PORT)
}
