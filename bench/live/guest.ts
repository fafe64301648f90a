import { MIB } from './sizes.js'

/** The name by which an agent finds its port. */
export const GUEST_AGENT = 'org.qemu.guest_agent.0'

/** How much of it is drawn; the rest is copies: nothing makes them smaller. */
const DRAWN_MIB = 64

/** What a kernel, an agent and the firmware need for themselves. */
const OWN_MIB = 96

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
count=${DRAWN_MIB}
source=/dev/urandom
while [ $left -gt 0 ]; do
  [ $count -le $left ] || count=$left
  dd if=$source of=/noise/$left bs=1M count=$count iflag=fullblock 2>/dev/null
  [ $source != /dev/urandom ] || source=/noise/$left
  left=$((left - count))
done
`
}
