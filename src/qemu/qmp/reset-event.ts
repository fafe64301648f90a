import type { QmpEvent } from './message.js'

/** Whether an event is a reset that the host has asked for: a guest's own have `guest`, those of its firmware too. */
export function isHostReset({ name, data }: QmpEvent): boolean {
  return name === 'RESET' && data.guest === false
}
