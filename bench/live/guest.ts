import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { MIB } from './sizes.js'

/** The name by which an agent finds its port. */
export const GUEST_AGENT = 'org.qemu.guest_agent.0'

const NOISE_MIB = 256

/** What a kernel, an agent and the firmware need for themselves. */
const OWN_MIB = 96

/** A file of noise, which guests fill their RAM from: nothing makes it smaller. */
export async function writeNoise(file: string): Promise<void> {
  const end = NOISE_MIB * MIB - 1
  await pipeline(createReadStream('/dev/urandom', { end }), createWriteStream(file))
}

/** QEMU's arguments for a read-only disk of noise: the guest's second. */
export function noiseArguments(file: string): string[] {
  const node = 'driver=raw,node-name=noise,read-only=on'
  return [
    ...['-blockdev', `${node},file.driver=file,file.filename=${file}`],
    ...['-device', 'virtio-blk-pci,drive=noise'],
  ]
}

/** How much noise goes into a guest: a share of its RAM, but for what it needs itself. */
export function noiseIn(memory: number, share: number): number {
  return Math.min(memory * share, memory - OWN_MIB * MIB)
}

/**
 * The script that has a guest fill RAM with noise, by files in memory.
 *
 * @param bytes - how much
 */
export function fillScript(bytes: number): string {
  return `mkdir -p /noise
mount -t tmpfs -o size=100% noise /noise
left=${Math.floor(bytes / MIB)}
while [ $left -gt 0 ]; do
  count=$left
  [ $count -le ${NOISE_MIB} ] || count=${NOISE_MIB}
  dd if=/dev/vdb of=/noise/$left bs=1M count=$count iflag=direct 2>/dev/null
  left=$((left - count))
done
`
}
