import { totalmem } from 'node:os'
import { cgroupMemoryLimit } from './cgroup-limits.js'

/** How much memory there is for this process and all others that share it. */
export interface HostMemory {
  bytes: number
  /** Whose memory it is, for people: `this host`. */
  of: string
}

/** The memory of this host, or less where a control group, such as a container's, allows less. */
export async function hostMemory(): Promise<HostMemory> {
  const host = { bytes: totalmem(), of: 'this host' }
  const limit = await cgroupMemoryLimit()
  if (limit === undefined || limit.bytes >= host.bytes) return host
  return { bytes: limit.bytes, of: `this control group (${limit.file})` }
}
